//! A proxy that lets the login through and mutates what the server says after it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::mutate::Mutation;

/// What the server said after the login, before any mutation.
pub(super) type Heard = Arc<Mutex<Vec<u8>>>;

pub(super) struct Proxy {
    pub(super) addr: SocketAddr,
    pub(super) heard: Heard,
    /// Aborted when dropped.
    _task: JoinSet<()>,
}

impl Proxy {
    pub(super) async fn start(server: SocketAddr, mutation: Mutation) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let heard = Heard::default();
        let log = Arc::clone(&heard);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server).await.unwrap();
                connections.spawn(relay(client, server, mutation.clone(), Arc::clone(&log)));
            }
        });
        Self {
            addr,
            heard,
            _task: task,
        }
    }
}

/// Ends both directions as soon as one ends.
async fn relay(mut client: TcpStream, mut server: TcpStream, mutation: Mutation, heard: Heard) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (mut from_client, to_client) = client.split();
    let (from_server, mut to_server) = server.split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        _ = answer(from_server, to_client, mutation, heard) => {}
    }
}

async fn answer(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut mutation: Mutation,
    heard: Heard,
) -> std::io::Result<()> {
    let mut login = Login::default();
    let mut buf = vec![0; 64 << 10];
    loop {
        let len = from.read(&mut buf).await?;
        if len == 0 {
            return Ok(());
        }
        let clear = login.skip(&buf[..len]);
        let mut out = buf[..clear].to_vec();
        heard.lock().unwrap().extend_from_slice(&buf[clear..len]);
        let goes_on = mutation.feed(&buf[clear..len], &mut out);
        to.write_all(&out).await?;
        if !goes_on {
            return Ok(());
        }
    }
}

/// Finds the end of the login: after the second TDS reply, between which TLS talks by itself.
#[derive(Default)]
struct Login {
    header: Vec<u8>,
    left: usize,
    last: bool,
    replies: usize,
}

impl Login {
    /// How many of these bytes belong to the login.
    fn skip(&mut self, bytes: &[u8]) -> usize {
        const REPLY: u8 = 4;
        for (at, byte) in bytes.iter().enumerate() {
            if self.replies == 2 {
                return at;
            }
            if self.left > 0 {
                self.left -= 1;
            } else {
                self.header.push(*byte);
                let is_tls = (0x14..=0x17).contains(&self.header[0]);
                let (len_at, whole) = if is_tls { (3, 5) } else { (2, 8) };
                if self.header.len() < whole {
                    continue;
                }
                let len = u16::from_be_bytes([self.header[len_at], self.header[len_at + 1]]);
                self.left = usize::from(len) - if is_tls { 0 } else { whole };
                self.last = self.header[0] == REPLY && self.header[1] & 1 != 0;
                self.header.clear();
            }
            if self.left == 0 && std::mem::take(&mut self.last) {
                self.replies += 1;
            }
        }
        bytes.len()
    }
}
