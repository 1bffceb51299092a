//! What a healthy client notices of 500 slow connections and 2,000 idle ones. `cargo bench --bench siege` prints how long
//! its hits take, quiet and under siege, and how many file descriptors nbproxy has open before, amid and after.
//!
//! A third each of the slow ones send a head a byte every 100 ms, send a body so, and take an answer of 3 MB so. All are on
//! 127.0.0.0/8, from five addresses. Figures of one run only mean something as a ratio; the goal for p99 is two.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fake_netbox::FakeNetbox;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

const SLOW: usize = 500;
const IDLE: usize = 2_000;
const HITS: usize = 50_000;
const ROUNDS: usize = 3;

const HIT: &str = "GET /api/dcim/sites/1/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n";
const LONG: &str = "GET /api/dcim/cables/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const SLOW_HEAD: &str = "GET /api/dcim/sites/1/ HTTP/1.1\r\nX: ";
const SLOW_BODY: &str = "PATCH /api/dcim/sites/1/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000\r\n\r\n{";

/// The program, ended when it is dropped.
struct Daemon {
    child: Child,
    address: SocketAddr,
}

impl Daemon {
    fn before(netbox: &FakeNetbox, folder: &Path) -> Self {
        let settings = folder.join("nbproxy.toml");
        let text = format!(
            "[upstream]\nurl = {:?}\ntoken = {:?}\n[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
             [access]\nanonymous = \"write\"\n[cache]\nttl = \"1h\"\nttl_without_feed = \"1h\"\n[log]\nformat = \"json\"\n\
             filter = \"info,nbproxy::access=off\"\n",
            netbox.url(),
            netbox.token()
        );
        std::fs::write(&settings, text).expect("it is written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_nbproxy"));
        command.arg("--config").arg(settings).env_clear().stdout(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let listening = lines.find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line).ok()?;
            line["listen"].as_str()?.parse().ok()
        });
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: listening.expect("it says where it listens") }
    }

    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// How long each hit of a healthy client took, shortest first.
fn hits(address: SocketAddr) -> Vec<Duration> {
    let mut stream = std::net::TcpStream::connect(address).expect("it listens");
    stream.set_nodelay(true).expect("it is open");
    let mut took = Vec::with_capacity(HITS);
    let mut buffer = vec![0; 64 * 1024];
    for _ in 0..HITS {
        #[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
        let began = Instant::now();
        stream.write_all(HIT.as_bytes()).expect("it reads");
        let read = stream.read(&mut buffer).expect("it answers");
        took.push(began.elapsed());
        assert!(
            buffer[..read].starts_with(b"HTTP/1.1 200") && buffer[..read].ends_with(b"}"),
            "an answer that is none"
        );
    }
    took.sort_unstable();
    took
}

/// The middle of some, and what one in a hundred exceeds, in microseconds.
fn percentiles(took: &[Duration]) -> [f64; 2] {
    [took.len() / 2, took.len() * 99 / 100].map(|at| took[at].as_secs_f64() * 1e6)
}

async fn connect(number: usize, address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let source = [127, 0, 0, 2 + u8::try_from(number % 5).expect("it is small")];
    socket.bind((source, 0).into()).expect("an address of this machine's");
    socket.connect(address).await.expect("it listens")
}

/// The slow and the idle.
struct Crowd(Vec<TcpStream>);

impl Crowd {
    async fn gather(address: SocketAddr) -> Self {
        let mut crowd = Vec::new();
        for number in 0..SLOW + IDLE {
            let mut stream = connect(number, address).await;
            if number < SLOW {
                let beginning = [SLOW_HEAD, SLOW_BODY, LONG][number % 3];
                stream.write_all(beginning.as_bytes()).await.expect("it reads");
            }
            crowd.push(stream);
        }
        Self(crowd)
    }

    /// A byte of each slow one moves.
    fn move_on(&self) {
        for (number, stream) in self.0.iter().take(SLOW).enumerate() {
            // Who has been hung up on has nothing to lose.
            let _moved = if number % 3 == 2 { stream.try_read(&mut [0]) } else { stream.try_write(b"y") };
        }
    }
}

fn main() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("it is allowed");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let netbox = runtime.block_on(FakeNetbox::start());
    netbox.blob("/api/dcim/cables/", "application/octet-stream", vec![7u8; 3 * 1024 * 1024]);
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = Daemon::before(&netbox, folder.path());
    hits(daemon.address);
    runtime.block_on(async {
        let mut stream = connect(0, daemon.address).await;
        stream.write_all(LONG.as_bytes()).await.expect("it reads");
        stream.readable().await.expect("it answers, and remembers");
    });
    let before = daemon.descriptors();
    println!("{SLOW} slow connections and {IDLE} idle ones; {HITS} hits of a healthy client");
    println!("round  quiet p50/p99 µs   besieged p50/p99 µs   ratio p50/p99   descriptors before/amid/after");
    for round in 1..=ROUNDS {
        let quiet = percentiles(&hits(daemon.address));
        let crowd = runtime.block_on(Crowd::gather(daemon.address));
        let amid = daemon.descriptors();
        let besieged = std::thread::scope(|scope| {
            let healthy = scope.spawn(|| percentiles(&hits(daemon.address)));
            while !healthy.is_finished() {
                crowd.move_on();
                std::thread::sleep(Duration::from_millis(100));
            }
            healthy.join().expect("it is answered every time")
        });
        drop(crowd);
        // They are gone once nbproxy has seen it.
        let gone = (0..100).find(|_| {
            std::thread::sleep(Duration::from_millis(50));
            daemon.descriptors() <= before
        });
        let after = daemon.descriptors();
        println!(
            "{round:>5}  {:>8.0} {:>8.0}   {:>10.0} {:>8.0}   {:>7.2} {:>5.2}   {before:>10} / {amid} / {after}{}",
            quiet[0],
            quiet[1],
            besieged[0],
            besieged[1],
            besieged[0] / quiet[0],
            besieged[1] / quiet[1],
            if gone.is_none() { " (not all came back)" } else { "" }
        );
    }
}
