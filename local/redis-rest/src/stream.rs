//! Subscriptions and MONITOR as server-sent events, each on its own connection.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::command::Command;
use crate::redis::{Connection, Reply};

/// The interval of comments, which show both sides that the other is alive; clients skip them.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events that wait for a slow reader before Redis has to wait. Redis finally disconnects a reader that never reads.
const BACKLOG: usize = 1024;

/// Sends the command and converts Redis's pushes to events.
pub(crate) async fn events(
    mut connection: Connection,
    command: Command,
) -> io::Result<impl Stream<Item = Bytes> + Send + 'static> {
    connection.send(&[command]).await?;
    let (sender, receiver) = mpsc::channel(BACKLOG);
    tokio::spawn(pump(connection, sender));
    Ok(stream::unfold(
        receiver,
        async |mut receiver: mpsc::Receiver<Bytes>| match timeout(KEEP_ALIVE, receiver.recv()).await
        {
            Ok(event) => event.map(|event| (event, receiver)),
            Err(_) => Some((Bytes::from_static(b": keep-alive\n\n"), receiver)),
        },
    ))
}

/// Reads until Redis or the reader disconnects.
async fn pump(mut connection: Connection, sender: mpsc::Sender<Bytes>) {
    loop {
        let reply = tokio::select! {
            () = sender.closed() => return,
            reply = connection.receive() => reply,
        };
        let Ok(reply) = reply else { return };
        if sender.send(event(&reply)).await.is_err() {
            return;
        }
    }
}

/// Returns one event on one line. Clients treat every line as a message, so a line break in a payload is written as
/// `\n`.
fn event(push: &Reply) -> Bytes {
    let line = match push {
        Reply::Status(line) if **line == *b"OK" => "\"OK\"".to_owned(),
        Reply::Array(fields) => fields.iter().map(field).collect::<Vec<_>>().join(","),
        reply => field(reply),
    };
    let line = line.replace('\r', "\\r").replace('\n', "\\n");
    Bytes::from(format!("data: {line}\n\n"))
}

fn field(reply: &Reply) -> String {
    match reply {
        Reply::Status(bytes) | Reply::Error(bytes) | Reply::Bulk(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        Reply::Integer(value) => value.to_string(),
        Reply::NullBulk | Reply::NullArray | Reply::Array(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &'static str) -> Reply {
        Reply::Bulk(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn pushes_become_comma_separated_lines() {
        let joined = Reply::Array(vec![bulk("subscribe"), bulk("room"), Reply::Integer(1)]);
        assert_eq!(event(&joined), "data: subscribe,room,1\n\n");
        let message = Reply::Array(vec![
            bulk("message"),
            bulk("room"),
            bulk("{\"a\":1,\"b\":2}"),
        ]);
        assert_eq!(event(&message), "data: message,room,{\"a\":1,\"b\":2}\n\n");
    }

    #[test]
    fn payload_cannot_forge_a_second_event() {
        let message = Reply::Array(vec![
            bulk("message"),
            bulk("room"),
            bulk("a\n\ndata: message,room,forged\r\n"),
        ]);
        assert_eq!(
            event(&message),
            "data: message,room,a\\n\\ndata: message,room,forged\\r\\n\n\n"
        );
    }

    #[test]
    fn monitor_greeting_is_quoted() {
        assert_eq!(
            event(&Reply::Status(Bytes::from_static(b"OK"))),
            "data: \"OK\"\n\n"
        );
    }
}
