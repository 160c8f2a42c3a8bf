//! A PostgreSQL of the tests' own, or the one that `CRIBLE_TEST_POSTGRES` names.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::Connection;

/// Runs until whoever started it is gone, however it went, and leaves nothing behind.
const SCRIPT: &str = r#"
set -e
dir=$(mktemp -d "${TMPDIR:-/tmp}/crible-postgres.XXXXXX")
trap 'rm -rf "$dir"' EXIT
"$0/initdb" -D "$dir/data" -A trust -U crible --no-sync -E UTF8 --locale=C >/dev/null
"$0/postgres" -D "$dir/data" -k "$dir" -p "$1" -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=100 \
    >"$dir/log" 2>&1 &
pid=$!
echo started
read -r line || true
kill -QUIT "$pid"
wait "$pid" || true
"#;

struct Server {
    url: String,
    /// Its standard input is what keeps the server alive.
    _guardian: Option<Child>,
}

fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let start = || {
        if let Ok(url) = std::env::var("CRIBLE_TEST_POSTGRES") {
            return Some(Server { url: url.trim_end_matches('/').to_owned(), _guardian: None });
        }
        let server = start(&programs()?);
        assert!(server.is_some(), "PostgreSQL is installed and does not start");
        server
    };
    let server = SERVER.get_or_init(start).as_ref();
    if server.is_none() {
        eprintln!("skipped: no PostgreSQL (set CRIBLE_TEST_POSTGRES, or install its server)");
    }
    server
}

/// The folder of `initdb` and `postgres`.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = std::env::split_paths(&path).chain(debian.map(|version| version.path().join("bin")));
    folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn start(programs: &std::path::Path) -> Option<Server> {
    let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
    // PostgreSQL does not run as root.
    let is_root = output("id", &["-u"]).as_deref() == Some("0");
    let mut command = if is_root {
        let user = if output("id", &["postgres"]).is_some() { "postgres" } else { "nobody" };
        let group = output("id", &["-gn", user])?;
        let mut command = Command::new("setpriv");
        command.args(["--reuid", user, "--regid", &group, "--clear-groups", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    command.args(["-c", SCRIPT]).arg(programs).arg(port.to_string()).current_dir("/");
    let mut guardian = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut line = String::new();
    BufReader::new(guardian.stdout.take()?).read_line(&mut line).ok()?;
    if line.trim() != "started" {
        return None;
    }
    let server = Server { url: format!("postgres://crible@127.0.0.1:{port}"), _guardian: Some(guardian) };
    for _ in 0..200 {
        if execute(&server, "SELECT 1").is_ok() {
            return Some(server);
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    None
}

fn execute(server: &Server, statement: &'static str) -> Result<(), sqlx::Error> {
    let url = format!("{}/postgres", server.url);
    crate::common::block_on(async move {
        let mut db = sqlx::PgConnection::connect(&url).await?;
        sqlx::query(statement).execute(&mut db).await?;
        db.close().await
    })
}

/// The address of a database that is empty; `None` where there is no PostgreSQL.
pub(crate) fn database() -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let server = server()?;
    let name = format!("crible_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    execute(server, String::leak(format!("CREATE DATABASE {name}"))).unwrap();
    Some(format!("{}/{name}", server.url))
}
