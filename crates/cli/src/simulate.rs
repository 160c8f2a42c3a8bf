use std::io::{self, BufWriter, Write};

use anyhow::{Context, Result};
use crible_eval::simulate::Simulation;

use crate::args::SimulateArgs;
use crate::output::Output;

pub(crate) fn run(args: &SimulateArgs) -> Result<()> {
    let mut builder =
        Simulation::builder().accounts(args.accounts).days(args.days).seed(args.seed).fraud_rate(args.fraud_rate);
    if let Some(start) = args.start {
        builder = builder.start(start);
    }
    if !args.scenarios.is_empty() {
        builder = builder.scenarios(&args.scenarios);
    }
    let simulation = builder.build()?;
    let written = match &args.out {
        None => simulation.write_csv(&mut BufWriter::new(io::stdout().lock())).context("cannot write transactions")?,
        Some(path) => {
            let cannot = || format!("cannot write transactions to {}", path.display());
            let output = Output::create(path).with_context(cannot)?;
            let mut writer = output.writer().with_context(cannot)?;
            let written = simulation.write_csv(&mut writer).with_context(cannot)?;
            drop(writer);
            output.persist()?;
            written
        }
    };
    let _ = writeln!(io::stderr(), "{} transactions, {} of them fraud", written.rows, written.frauds);
    Ok(())
}
