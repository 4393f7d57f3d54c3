//! Parses a request's path, query and body: one command, several, or a stream.

use bytes::Bytes;
use hyper::Method;
use percent_encoding::percent_decode_str;

use crate::command::Command;
use crate::malformed::Malformed;

/// A valid request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// `POST /` with a JSON array, or the path form.
    Command(Command),
    /// `POST /pipeline`: in sequence, with other clients' commands in between.
    Pipeline(Vec<Command>),
    /// `POST /multi-exec`: atomically.
    Transaction(Vec<Command>),
    /// `/subscribe/...` or `/psubscribe/...`: the command for a separate connection.
    Subscribe(Command),
    /// `/monitor`.
    Monitor,
    /// `GET /`: undocumented, so it only shows that the server is running.
    Welcome,
}

impl Request {
    /// Parses a request.
    pub(crate) fn parse(
        method: &Method,
        path: &str,
        query: Option<&str>,
        body: Bytes,
    ) -> Result<Self, Malformed> {
        let words = path_words(path);
        let has_body = method == Method::POST || method == Method::PUT;
        let route = words.first().map(|name| name.to_ascii_lowercase());
        match (route.as_deref(), words.len()) {
            (None, _) if has_body => Command::from_json(&body).map(Self::Command),
            (None, _) => Ok(Self::Welcome),
            (Some(b"pipeline"), 1) if has_body => {
                Command::list_from_json(&body).map(Self::Pipeline)
            }
            (Some(b"multi-exec"), 1) if has_body => {
                Command::list_from_json(&body).map(Self::Transaction)
            }
            (Some(b"monitor"), 1) => Ok(Self::Monitor),
            // The official client posts `[]` to these two, which is not a channel: the body is ignored.
            (Some(b"subscribe"), _) => subscription("SUBSCRIBE", words),
            (Some(b"psubscribe"), _) => subscription("PSUBSCRIBE", words),
            _ => {
                let body = Some(body).filter(|body| has_body && !body.is_empty());
                Command::from_words(words.into_iter().chain(body).chain(query_words(query)))
                    .map(Self::Command)
            }
        }
    }
}

fn subscription(name: &'static str, mut words: Vec<Bytes>) -> Result<Request, Malformed> {
    words.remove(0);
    if words.is_empty() {
        return Err(Malformed::NoChannel(if name == "SUBSCRIBE" {
            "subscribe"
        } else {
            "psubscribe"
        }));
    }
    Ok(Request::Subscribe(Command::new(name, words)))
}

/// Returns the path's segments. An empty one is an empty argument, except after a trailing slash.
fn path_words(path: &str) -> Vec<Bytes> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        Vec::new()
    } else {
        path.split('/').map(decode).collect()
    }
}

/// Returns names and values of the query, in order; the token is not an argument. A `+` stays a `+`: `+inf` is a score.
fn query_words(query: Option<&str>) -> impl Iterator<Item = Bytes> {
    let pairs = query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| *name != "_token")
        .flat_map(|(name, value)| {
            std::iter::once(decode(name))
                .chain(Some(value).filter(|value| !value.is_empty()).map(decode))
        })
}

fn decode(text: &str) -> Bytes {
    percent_decode_str(text).collect::<Vec<u8>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(
        method: &Method,
        path: &str,
        query: Option<&str>,
        body: &'static str,
    ) -> Result<Request, String> {
        Request::parse(method, path, query, Bytes::from_static(body.as_bytes()))
            .map_err(|error| error.to_string())
    }

    fn command(words: &[&'static str]) -> Command {
        Command::from_words(words.iter().map(|word| Bytes::from_static(word.as_bytes()))).unwrap()
    }

    #[test]
    fn path_body_and_query_form_one_command_in_that_order() {
        let request = parse(
            &Method::POST,
            "/set/a%2Fb",
            Some("EX=100&_token=t&NX"),
            "[value]",
        );
        assert_eq!(
            request,
            Ok(Request::Command(command(&[
                "set", "a/b", "[value]", "EX", "100", "NX"
            ])))
        );
    }

    #[test]
    fn empty_segment_is_an_argument_and_a_trailing_slash_is_not() {
        let request = parse(&Method::GET, "/set/k//EX/9/", None, "ignored on GET");
        assert_eq!(
            request,
            Ok(Request::Command(command(&["set", "k", "", "EX", "9"])))
        );
    }

    #[test]
    fn subscription_ignores_its_body_and_needs_a_channel() {
        let request = parse(&Method::POST, "/subscribe/a/b", None, "[]");
        assert_eq!(
            request,
            Ok(Request::Subscribe(command(&["SUBSCRIBE", "a", "b"])))
        );
        assert!(
            parse(&Method::POST, "/psubscribe", None, "[]")
                .unwrap_err()
                .contains("'psubscribe'")
        );
    }

    #[test]
    fn batch_must_be_an_array_of_commands() {
        let pipeline = parse(
            &Method::POST,
            "/pipeline",
            None,
            r#"[["PING"],["GET","k"]]"#,
        );
        assert_eq!(
            pipeline,
            Ok(Request::Pipeline(vec![
                command(&["PING"]),
                command(&["GET", "k"])
            ]))
        );
        for body in ["", "[]", "{}", "[[]]", r#"["PING"]"#, r#"[["PING"],7]"#] {
            assert!(
                parse(&Method::POST, "/pipeline", None, body).is_err(),
                "{body}"
            );
            assert!(
                parse(&Method::POST, "/multi-exec", None, body).is_err(),
                "{body}"
            );
        }
    }
}
