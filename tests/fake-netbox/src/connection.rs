//! One connection: requests in, answers out, and everything that may go wrong on the way.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::answer::{Answer, Body, Facts, csrf_cookie};
use crate::clock;
use crate::control::{Fault, HoldPoint};
use crate::endless;
use crate::random;
use crate::request::{Reader, Received};
use crate::route;
use crate::state::Shared;

/// How an answer leaves.
enum Delivery {
    Whole,
    Chunked,
    Slow(usize, Duration),
    /// FIN before the announced end.
    Short,
    /// RST in the middle.
    Torn,
}

/// What becomes of the connection.
#[derive(PartialEq, Eq)]
enum After {
    Keep,
    Close,
    Reset,
}

/// Counts a request as being answered for as long as it lives.
struct InFlight(Arc<Shared>);

impl InFlight {
    fn new(shared: &Arc<Shared>) -> InFlight {
        let mut state = shared.lock();
        state.in_flight += 1;
        state.in_flight_peak = state.in_flight_peak.max(state.in_flight);
        drop(state);
        InFlight(Arc::clone(shared))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
    }
}

/// Serves a connection until either side ends it.
pub(crate) async fn serve(shared: Arc<Shared>, mut stream: TcpStream) {
    // Small answers must not wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let connection = {
        let mut state = shared.lock();
        state.connections += 1;
        state.connections
    };
    let Ok(peer) = stream.peer_addr() else {
        return;
    };
    let mut reader = Reader::new(connection, peer.ip());
    let mut reused = false;
    loop {
        if !reader.has_begun() && !wait(&shared, &stream, reused).await {
            return;
        }
        let base_path = shared.lock().config.base_path.clone();
        // A client that breaks off or talks nonsense gets no answer.
        let Ok(Some(request)) = reader.next(&mut stream, &base_path).await else {
            return;
        };
        let after = exchange(&shared, &mut stream, request).await;
        match after {
            Ok(After::Keep) => reused = true,
            Ok(After::Close) => {
                let _ = stream.shutdown().await;
                return;
            }
            Ok(After::Reset) => {
                // With zero linger, closing sends RST instead of FIN.
                let _ = stream.set_zero_linger();
                return;
            }
            Err(_) => return,
        }
    }
}

/// Waits for the first byte of a request; false where the connection is to be closed instead.
async fn wait(shared: &Shared, stream: &TcpStream, reused: bool) -> bool {
    let mut limit = shared.lock().controls.idle_close.subscribe();
    let mut one = [0u8; 1];
    let begun = loop {
        let idle = limit.borrow_and_update().filter(|_| reused);
        let too_long = async {
            match idle {
                Some(idle) => tokio::time::sleep(idle).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            begun = stream.peek(&mut one) => break begun,
            () = too_long => return false,
            Ok(()) = limit.changed() => {}
        }
    };
    if !matches!(begun, Ok(length) if length > 0) {
        return false;
    }
    let mut state = shared.lock();
    if reused && state.controls.close_next_reused {
        // Closing with the request unread makes the kernel send RST: gunicorn's race.
        state.controls.close_next_reused = false;
        state.dropped += 1;
        return false;
    }
    true
}

async fn exchange(shared: &Arc<Shared>, stream: &mut TcpStream, request: Received) -> io::Result<After> {
    let _in_flight = InFlight::new(shared);
    let (fault, gates) = {
        let mut state = shared.lock();
        state.log.push(request.clone());
        let fault = state.controls.strike(&request);
        (fault, state.controls.gates(&request, HoldPoint::BeforeRead))
    };
    match fault {
        Some(Fault::Hang) => return hang(stream).await,
        Some(Fault::ResetBeforeAnswer) => return Ok(After::Reset),
        Some(Fault::CloseBeforeAnswer) => return Ok(After::Close),
        _ => {}
    }
    gates.await;
    let request_id = random::uuid();
    let ready = fault.as_ref().and_then(replacement);
    let answer = ready.unwrap_or_else(|| route::answer(shared, &request, &request_id));
    let (gates, latency) = {
        let controls = &shared.lock().controls;
        (controls.gates(&request, HoldPoint::BeforeAnswer), controls.latency)
    };
    gates.await;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let (answer, delivery) = match fault {
        Some(Fault::ApplyThenReset) => return Ok(After::Reset),
        Some(Fault::ApplyThenStatus(status)) => {
            (Answer::html(status, "<h1>Something went wrong</h1>"), Delivery::Whole)
        }
        Some(Fault::SetCookie) => (answer.with("Set-Cookie", csrf_cookie()), Delivery::Whole),
        Some(Fault::Chunked) => (answer, Delivery::Chunked),
        Some(Fault::Truncate) => (answer, Delivery::Short),
        Some(Fault::ResetMidBody) => (answer, Delivery::Torn),
        Some(Fault::Slow { chunk, pause }) => (answer, Delivery::Slow(chunk.max(1), pause)),
        _ => (answer, Delivery::Whole),
    };
    deliver(shared, stream, &request, &request_id, answer, delivery).await
}

/// The answer of a fault that takes the place of the normal one.
fn replacement(fault: &Fault) -> Option<Answer> {
    match fault {
        Fault::Html200 => {
            let page = "<!DOCTYPE html>\n<html><body><h1>Welcome</h1></body></html>\n";
            Some(Answer::html(200, page))
        }
        Fault::Status(status, content_type, body) => Some(Answer::new(*status, content_type, body.clone())),
        Fault::Redirect(place) => Some(Answer::html(302, "").with("Location", place.as_str())),
        Fault::WrongJson(body) => Some(Answer::new(200, crate::answer::JSON, body.clone())),
        Fault::Hang
        | Fault::ResetBeforeAnswer
        | Fault::CloseBeforeAnswer
        | Fault::ResetMidBody
        | Fault::Truncate
        | Fault::SetCookie
        | Fault::Chunked
        | Fault::ApplyThenReset
        | Fault::ApplyThenStatus(_)
        | Fault::Slow { .. } => None,
    }
}

/// Says nothing until the client is gone.
async fn hang(stream: &TcpStream) -> io::Result<After> {
    let mut byte = [0u8; 1];
    while stream.peek(&mut byte).await? > 0 {
        // The client sent more; looking again at once would spin.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(After::Close)
}

async fn deliver(
    shared: &Shared,
    stream: &mut TcpStream,
    request: &Received,
    request_id: &str,
    answer: Answer,
    delivery: Delivery,
) -> io::Result<After> {
    let api_version = shared.lock().config.api_version();
    let chunked = matches!(delivery, Delivery::Chunked);
    let keep_alive = request.keeps_alive();
    let facts = Facts {
        date: clock::http_date(clock::now() / 1_000_000),
        request_id,
        api_version: &api_version,
        keep_alive,
        chunked,
    };
    stream.write_all(answer.head(&facts).as_bytes()).await?;
    let after = if keep_alive { After::Keep } else { After::Close };
    if request.method == "HEAD" || answer.status == 204 {
        return Ok(after);
    }
    let bytes = match answer.body {
        Body::Bytes(bytes) => bytes,
        Body::Endless(total, url) => {
            endless::send(stream, total, &url).await?;
            return Ok(after);
        }
    };
    let bytes = if shared.lock().controls.holds(request, HoldPoint::AmidBody) {
        let (half, rest) = (bytes.slice(..bytes.len() / 2), bytes.slice(bytes.len() / 2..));
        stream.write_all(&half).await?;
        let gates = shared.lock().controls.gates(request, HoldPoint::AmidBody);
        gates.await;
        rest
    } else {
        bytes
    };
    match delivery {
        Delivery::Whole => stream.write_all(&bytes).await?,
        Delivery::Chunked => send_chunks(stream, &bytes).await?,
        Delivery::Slow(size, pause) => {
            for piece in bytes.chunks(size) {
                stream.write_all(piece).await?;
                tokio::time::sleep(pause).await;
            }
        }
        Delivery::Short => {
            stream.write_all(&bytes[..bytes.len() * 3 / 4]).await?;
            return Ok(After::Close);
        }
        Delivery::Torn => {
            stream.write_all(&bytes[..bytes.len() / 2]).await?;
            return Ok(After::Reset);
        }
    }
    Ok(after)
}

async fn send_chunks(stream: &mut TcpStream, bytes: &Bytes) -> io::Result<()> {
    for piece in bytes.chunks(4096) {
        stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
        stream.write_all(piece).await?;
        stream.write_all(b"\r\n").await?;
    }
    stream.write_all(b"0\r\n\r\n").await
}
