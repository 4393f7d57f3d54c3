//! A RESP2 reply (<https://redis.io/docs/latest/develop/reference/protocol-spec/>).

use bytes::Bytes;

/// A reply of Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// `+`: a word such as `OK`.
    Status(Bytes),
    /// `-`: the whole error line, its code first.
    Error(Bytes),
    /// `:`.
    Integer(i64),
    /// `$`: any bytes.
    Bulk(Bytes),
    /// `$-1`: the null string.
    NullBulk,
    /// `*`.
    Array(Vec<Reply>),
    /// `*-1`: the null array.
    NullArray,
}

impl Reply {
    /// Creates an error of the front itself.
    pub(crate) fn error(text: impl Into<String>) -> Self {
        Self::Error(Bytes::from(text.into()))
    }

    /// Appends the reply in its wire form.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Status(line) => write_line(b'+', line, out),
            Self::Error(line) => write_line(b'-', line, out),
            Self::Integer(value) => write_line(b':', value.to_string().as_bytes(), out),
            Self::NullBulk => out.extend_from_slice(b"$-1\r\n"),
            Self::NullArray => out.extend_from_slice(b"*-1\r\n"),
            Self::Bulk(bytes) => {
                write_line(b'$', bytes.len().to_string().as_bytes(), out);
                out.extend_from_slice(bytes);
                out.extend_from_slice(b"\r\n");
            }
            Self::Array(items) => {
                write_line(b'*', items.len().to_string().as_bytes(), out);
                for item in items {
                    item.write(out);
                }
            }
        }
    }
}

fn write_line(kind: u8, line: &[u8], out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(line);
    out.extend_from_slice(b"\r\n");
}
