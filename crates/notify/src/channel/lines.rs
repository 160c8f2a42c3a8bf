use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::{Channel, CloudEvents, Letter};
use crate::outbox::{Failure, Kind};

/// A file, or standard output: one event a line.
pub struct Lines {
    events: CloudEvents,
    to: Mutex<To>,
}

struct To {
    writer: Box<dyn Sink>,
    /// A line was begun that could not be finished.
    broken: bool,
}

trait Sink: Write + Send {
    /// What was written survives a loss of power.
    fn sync(&mut self) -> io::Result<()>;
}

impl Sink for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

struct Stream<W>(W);

impl<W: Write> Write for Stream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write + Send> Sink for Stream<W> {
    fn sync(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}

impl Lines {
    /// Adds lines to a file, which is made where there is none.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn file(path: &Path, events: CloudEvents) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self { events, to: Mutex::new(To { writer: Box::new(file), broken: false }) })
    }

    /// Writes lines to a stream, such as standard output.
    pub fn stream(stream: impl Write + Send + 'static, events: CloudEvents) -> Self {
        Self { events, to: Mutex::new(To { writer: Box::new(Stream(stream)), broken: false }) }
    }
}

impl Channel for Lines {
    fn send(&self, letter: &Letter) -> Result<(), Failure> {
        let mut line = self.events.write(letter)?;
        line.push(b'\n');
        // Whoever panicked while holding it may have left a line unfinished: `broken` says so.
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        if to.broken {
            line.insert(0, b'\n');
        }
        to.broken = true;
        to.writer
            .write_all(&line)
            .and_then(|()| to.writer.sync())
            .map_err(|error| Failure::new(Kind::Again, format!("cannot write: {}", error.kind())))?;
        to.broken = false;
        Ok(())
    }
}
