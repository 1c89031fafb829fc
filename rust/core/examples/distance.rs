//! A TCP proxy that forwards what clients send only after a delay, as if the server were far away, and what the server
//! sends at once. For measurements: unlike the proxy of the tests, it takes almost no time of its own.
//!
//! ```text
//! cargo run --release --example distance -- 127.0.0.1:8333 50      # host and port, milliseconds; prints its own port
//! ```

#![expect(clippy::print_stdout, reason = "a program")]

use std::env;
use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::sleep;

/// Bytes that are forwarded at once: more than a request has.
const ROOM: usize = 64 << 10;

fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let usage = || io::Error::new(ErrorKind::InvalidInput, "usage: distance HOST:PORT MILLISECONDS");
    let [server, delay] = arguments.as_slice() else { return Err(usage()) };
    let delay = Duration::from_millis(delay.parse().map_err(|_| usage())?);
    Runtime::new()?.block_on(serve(server.clone(), delay))
}

async fn serve(server: String, delay: Duration) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    io::stdout().flush()?;
    loop {
        let (client, _) = listener.accept().await?;
        let server = server.clone();
        // Either side may close its connection at any time.
        tokio::spawn(async move { connect(client, &server, delay).await.ok() });
    }
}

/// Forwards in both directions until one side closes its connection.
async fn connect(client: TcpStream, server: &str, delay: Duration) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (asked, answers) = client.into_split();
    let (answered, asks) = server.into_split();
    tokio::select! {
        ended = carry(asked, asks, Some(delay)) => ended,
        ended = carry(answered, answers, None) => ended,
    }
}

async fn carry(from: OwnedReadHalf, to: OwnedWriteHalf, delay: Option<Duration>) -> io::Result<()> {
    let mut buffer = vec![0; ROOM];
    loop {
        from.readable().await?;
        let read = match from.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        if let Some(delay) = delay {
            sleep(delay).await;
        }
        let mut left = &buffer[..read];
        while !left.is_empty() {
            to.writable().await?;
            match to.try_write(left) {
                Ok(written) => left = &left[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}
