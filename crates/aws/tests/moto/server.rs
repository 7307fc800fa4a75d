//! A seeded moto server, and a server in front of it that remembers its answers and may answer in its place.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[path = "../../src/canned.rs"]
#[expect(dead_code, reason = "shared with the unit tests, which use more of it")]
pub(crate) mod canned;

use canned::{Asked, Reply, Server, serve};

/// What the server answered, by request.
type Answers = Arc<Mutex<BTreeMap<(String, String, String), Reply>>>;

/// A running server; it ends with the test.
pub(crate) struct Moto {
    child: Child,
    pub(crate) port: u16,
    answers: Answers,
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Starts and seeds a server; `None` where there is no Python for it.
pub(crate) fn moto() -> Option<Moto> {
    let python = PathBuf::from(std::env::var_os("PALISADE_TEST_PYTHON")?);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../aws/tests/moto");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new(&python);
    server.args(["-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", &port.to_string()]);
    server.env("MOTO_AMIS_PATH", folder.join("amis.json")).stdout(Stdio::null()).stderr(Stdio::null());
    let moto = Moto { child: server.spawn().unwrap(), port, answers: Answers::default() };
    for _ in 0..600 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            let seeded = Command::new(&python).arg(folder.join("seed.py")).arg(format!("http://127.0.0.1:{port}")).status();
            assert!(seeded.unwrap().success(), "the seed failed");
            return Some(moto);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("moto does not answer");
}

impl Moto {
    /// The address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Runs a script beside the seed, with the server's address, and gives the lines that it prints.
    pub(crate) fn script(&self, name: &str) -> Vec<String> {
        let python = std::env::var_os("PALISADE_TEST_PYTHON").unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../aws/tests/moto").join(name);
        let output = Command::new(python).arg(path).arg(self.url()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// The server with a hand in between: `fault` may answer in its place; else an answer is asked for once and remembered.
    pub(crate) fn between(&self, fault: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Server {
        let (port, answers) = (self.port, Arc::clone(&self.answers));
        serve(move |asked, _| {
            if let Some(reply) = fault(asked) {
                return reply;
            }
            let mut signed = asked.header("authorization").split('/');
            let (whose, service) = (signed.next().unwrap_or_default(), signed.nth(2).unwrap_or_default());
            let target = asked.header("x-amz-target").to_owned();
            let key = (format!("{whose} {service} {} {}", asked.method, asked.path), target, asked.body.clone());
            let known = answers.lock().unwrap().get(&key).cloned();
            known.unwrap_or_else(|| {
                let reply = forward(port, asked);
                answers.lock().unwrap().insert(key, reply.clone());
                reply
            })
        })
    }
}

fn forward(port: u16, asked: &Asked) -> Reply {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut head = format!("{} {} HTTP/1.1\r\n", asked.method, asked.path);
    // Queue URLs hold the host that was asked.
    head += &format!("host: 127.0.0.1:{port}\r\n");
    for (name, value) in asked.headers.iter().filter(|(n, _)| n != "connection" && n != "host") {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}connection: close\r\n\r\n{}", asked.body).as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().and_then(|l| l.split(' ').nth(1)).unwrap().parse().unwrap();
    let keep = |name: &str| !matches!(name, "content-length" | "connection" | "transfer-encoding");
    let headers = lines.filter_map(|l| l.split_once(": ")).map(|(k, v)| (k.to_lowercase(), v.to_owned()));
    Reply { status, headers: headers.filter(|(k, _)| keep(k)).collect(), body: body.to_owned(), ..Reply::default() }
}

/// What each request is to the fault: the same operation, whatever it is asked about. REST paths lose their ids.
pub(crate) fn kind_of(asked: &Asked) -> String {
    let service = asked.header("authorization").split('/').nth(3).unwrap_or_default().to_owned();
    let operation = asked.operation();
    let Some((method, path)) = operation.split_once(' ') else { return format!("{service} {operation}") };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let key = query.split(['=', '&']).next().unwrap_or_default();
    let depth = path.matches('/').count();
    let word =
        path.split('/').rfind(|w| w.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !w.contains("-b")).unwrap_or_default();
    format!("{service} {method} {depth} {word} {key}")
}
