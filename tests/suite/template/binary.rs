//! The capabilities of a function's linked binary. The linker removes unreachable code. So a binary contains a
//! variable's name only if its code reads it, and an SDK operation only if it is called.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A debug binary of a function, as text; every byte that is not ASCII is a gap.
pub(super) struct Binary(String);

impl Binary {
    /// Reads the binary of a function. `cargo build --workspace --bins` builds it.
    pub(super) fn of(function: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug");
        let bytes = std::fs::read(folder.join(function)).unwrap_or_else(|error| {
            panic!("{function} is not built (cargo build --workspace --bins): {error}")
        });
        Self(
            bytes
                .into_iter()
                .map(|byte| {
                    if byte.is_ascii() {
                        char::from(byte)
                    } else {
                        '\0'
                    }
                })
                .collect(),
        )
    }

    /// Returns the variables that it reads. Literals are adjacent without a separator. So a name that is a prefix of
    /// another is searched after the longer one is removed.
    pub(super) fn reads(&self, variables: &BTreeSet<String>) -> BTreeSet<String> {
        variables
            .iter()
            .filter(|name| {
                let longer = variables
                    .iter()
                    .filter(|other| other.starts_with(*name) && other != name);
                let rest = longer.fold(self.0.clone(), |rest, longer| {
                    rest.replace(longer.as_str(), "\0")
                });
                rest.contains(name.as_str())
            })
            .cloned()
            .collect()
    }

    /// Returns the AWS actions that it calls, as policies name them.
    pub(super) fn calls(&self) -> BTreeSet<String> {
        let sdk = self.after("aws_sdk_").filter_map(|symbol| {
            let (service, rest) = symbol.split_once("..operation..")?;
            // The credentials chain contains code to assume a role. A function has its own role, and never does. A
            // longer symbol may contain the marks of two.
            let is_one = word(service) == service && service != "sts";
            is_one.then(|| action(service, word(rest)))
        });
        // A call without an SDK names its operation in a header (AWS JSON 1.1). It is a literal of the sources, because
        // nothing marks its end in a binary.
        let own = targets()
            .into_iter()
            .filter(|target| self.0.contains(target.as_str()))
            .map(|target| target.replace('.', ":"));
        sdk.chain(own).chain(self.of_objects()).collect()
    }

    /// Returns the calls of object storage, which name their action in errors.
    fn of_objects(&self) -> Vec<String> {
        ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
            .into_iter()
            .filter(|action| self.0.contains(action))
            .map(ToOwned::to_owned)
            .collect()
    }

    /// Returns the text after each occurrence of `mark`, up to the longest symbol.
    fn after<'a>(&'a self, mark: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.match_indices(mark).map(move |(at, _)| {
            let rest = &self.0[at + mark.len()..];
            &rest[..rest.len().min(100)]
        })
    }
}

/// Returns the operations called without an SDK, as the header names them: `secretsmanager.GetSecretValue`.
fn targets() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    rust_files(&root.join("shared/src/protocol"))
        .into_iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect::<Vec<_>>()
        .iter()
        .flat_map(|text| text.split("\"x-amz-target\", \"").skip(1))
        .filter_map(|rest| rest.split('"').next().map(ToOwned::to_owned))
        .collect()
}

/// Returns the letters, digits and underscores at the start.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// Returns `sesv2` and `send_email` as `ses:SendEmail`.
fn action(service: &str, operation: &str) -> String {
    let words = operation.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    let service = service.trim_end_matches("v2");
    format!("{service}:{}", words.collect::<String>())
}

/// Returns the variables that the functions' code reads: the arguments of `base::env`, as literals or constants.
/// Variables of Lambda and the AWS SDK are not part of the template.
pub(super) fn variables() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = rust_files(&root.join("shared/src"))
        .into_iter()
        .chain(rust_files(&root.join("functions")));
    let texts = files.map(|file| std::fs::read_to_string(file).unwrap());
    texts
        .filter(|text| text.contains("env::"))
        .flat_map(|text| literals(&text))
        .filter(|name| !name.starts_with("AWS_"))
        .collect()
}

/// Returns the names in a file: literals in capitals that are arguments of an `env::` function or values of a constant.
fn literals(text: &str) -> Vec<String> {
    let given = text.split("env::").skip(1).filter_map(|call| {
        let (function, argument) = call.split_once('(')?;
        (word(function) == function).then(|| argument.trim_start())
    });
    let constants = text.split(": &str = ").skip(1);
    let quoted = given
        .chain(constants)
        .filter_map(|rest| rest.strip_prefix('"')?.split_once('"'));
    // A named limiter has the name of its variable beside it.
    let limiters = text.split("\"RATE_LIMIT_").skip(1);
    let limiters = limiters.filter_map(|rest| rest.split_once('"'));
    let limiters = limiters.map(|(name, _)| format!("RATE_LIMIT_{name}"));
    let names = quoted.map(|(name, _)| name.to_owned());
    names
        .chain(limiters)
        .filter(|name| is_variable(name))
        .collect()
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn name_that_is_a_prefix_of_another_is_distinguished() {
    let names = ["API_TOKEN", "API_TOKEN_NEXT"]
        .map(ToOwned::to_owned)
        .into();
    let reads = |text: &str| {
        Binary(text.to_owned())
            .reads(&names)
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(reads("xAPI_TOKEN_NEXTx"), ["API_TOKEN_NEXT"]);
    assert_eq!(
        reads("API_TOKENAPI_TOKEN_NEXT"),
        ["API_TOKEN", "API_TOKEN_NEXT"]
    );
    assert_eq!(reads("API_TOKE"), [""; 0]);
}
