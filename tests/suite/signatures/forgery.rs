//! Forged deliveries, and the reason for each rejection.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::Target;
use crate::support::TestCloud;
use crate::support::signer::{Signer, claims};

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// A delivery and its fault.
pub(super) struct Forgery {
    pub(super) why: String,
    pub(super) tokens: Vec<Vec<u8>>,
    pub(super) body: Vec<u8>,
}

/// A forger's knowledge, plus the key itself.
pub(super) struct Context {
    key: String,
    api_token: String,
    qstash_token: String,
    signer: Signer,
    base: String,
    path: String,
    body: Vec<u8>,
}

impl Context {
    pub(super) fn new(cloud: &TestCloud, target: &Target) -> Self {
        Self {
            key: cloud.variable("QSTASH_CURRENT_SIGNING_KEY").to_owned(),
            api_token: cloud.variable("API_TOKEN").to_owned(),
            qstash_token: cloud.variable("QSTASH_TOKEN").to_owned(),
            signer: cloud.signer(),
            base: cloud.functions_url().to_owned(),
            path: target.path(),
            body: target.body.clone(),
        }
    }

    fn url(&self) -> String {
        format!("{}{}", self.base, self.path)
    }

    fn claims(&self) -> Value {
        claims(&self.url(), &self.body)
    }

    fn valid(&self) -> String {
        self.signer.sign(&self.url(), &self.body)
    }

    fn forgery<T: AsRef<[u8]>>(&self, why: impl Into<String>, tokens: &[T]) -> Forgery {
        Forgery {
            why: why.into(),
            tokens: tokens.iter().map(|token| token.as_ref().to_vec()).collect(),
            body: self.body.clone(),
        }
    }
}

/// Returns malformed tokens, and more or fewer than one token.
pub(super) fn of_form(context: &Context) -> Vec<Forgery> {
    let valid = context.valid();
    let forged = Signer::new("sig_forger").sign(&context.url(), &context.body);
    let parts: Vec<&str> = valid.split('.').collect();
    let [head, claims, signature] = parts[..] else {
        panic!("a token has three parts")
    };
    let none: [&str; 0] = [];
    let mut table = vec![
        context.forgery("no signature", &none),
        context.forgery("two signatures, both right", &[&valid, &valid]),
        context.forgery("two signatures, the first one right", &[&valid, &forged]),
        context.forgery("two signatures, the second one right", &[&forged, &valid]),
        context.forgery("bytes that are no text", &[b"\xff.\xfe.\xfd"]),
    ];
    let single = [
        ("empty", String::new()),
        ("garbage", "garbage".into()),
        ("dots", "..".into()),
        ("json", r#"{"alg":"none"}"#.into()),
        ("five parts", format!("{valid}.a.b")),
        ("no signature part", format!("{head}.{claims}")),
        ("an empty signature part", format!("{head}.{claims}.")),
        ("empty claims", format!("{head}..{signature}")),
        ("an empty header part", format!(".{claims}.{signature}")),
        ("a trailing dot", format!("{valid}.")),
        ("a leading dot", format!(".{valid}")),
        ("padding", format!("{valid}=")),
        ("a padded header", format!("{head}=.{claims}.{signature}")),
        ("a space within", format!("{head}. {claims}.{signature}")),
        ("a tab within", format!("{head}.{claims}.\t{signature}")),
        ("a scheme", format!("Bearer {valid}")),
        ("quotes", format!("\"{valid}\"")),
        ("a list", format!("{valid},")),
        ("cut by one", valid[..valid.len() - 1].to_owned()),
        ("longer by one", format!("{valid}A")),
        (
            "its parts in another order",
            format!("{claims}.{head}.{signature}"),
        ),
        ("upper case", valid.to_ascii_uppercase()),
        ("5,000 bytes", "x".repeat(5000)),
    ];
    table.extend(single.map(|(why, token)| context.forgery(why, &[token])));
    table
}

/// Returns headers that could open another way in, each signed with the right key.
pub(super) fn of_header(context: &Context) -> Vec<Forgery> {
    let claims = context.claims().to_string();
    let unsigned =
        [r#"{"alg":"none","typ":"JWT"}"#, &claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let mut table = vec![context.forgery(
        "alg none, unsigned",
        &[format!("{}.{}.", unsigned[0], unsigned[1])],
    )];
    let headers = [
        r#"{"alg":"none","typ":"JWT"}"#,
        r#"{"alg":"NONE"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS384","typ":"JWT"}"#,
        r#"{"alg":"HS512","typ":"JWT"}"#,
        r#"{"alg":"RS256","typ":"JWT"}"#,
        r#"{"alg":"ES256","typ":"JWT"}"#,
        r#"{"alg":"EdDSA","typ":"JWT"}"#,
        r#"{"alg":""}"#,
        r#"{"alg":null}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"typ":"JWT"}"#,
        "{}",
        "[]",
        "",
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u0061lg":"none"}"#,
        r#"{"alg":"HS256","typ":"JWE"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256"} {}"#,
    ];
    table.extend(headers.map(|header| {
        context.forgery(
            format!("header {header}"),
            &[context.signer.seal(header, &claims)],
        )
    }));
    let [plain, key] = [claims.as_bytes(), context.key.as_bytes()];
    let signed = |alg: &str| {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#));
        format!("{header}.{}", URL_SAFE_NO_PAD.encode(plain))
    };
    let hs384 = signed("HS384");
    let mut mac = Hmac::<Sha384>::new_from_slice(key).unwrap();
    mac.update(hs384.as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    table.push(context.forgery("a true HS384", &[format!("{hs384}.{tag}")]));
    let hs512 = signed("HS512");
    let mut mac = Hmac::<Sha512>::new_from_slice(key).unwrap();
    mac.update(hs512.as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    table.push(context.forgery("a true HS512", &[format!("{hs512}.{tag}")]));
    table
}

/// Returns the right claims, signed with foreign keys.
pub(super) fn of_key(context: &Context) -> Vec<Forgery> {
    let key = &context.key;
    let keys = [
        ("another key", "sig_forger".to_owned()),
        ("the empty key", String::new()),
        ("a prefix of the key", key[..key.len() - 1].to_owned()),
        ("the key in lower case", key.to_ascii_lowercase()),
        ("the key with a line break", format!("{key}\n")),
        ("the key's base64", STANDARD.encode(key)),
        ("the service token", context.api_token.clone()),
        ("the token of the queue's API", context.qstash_token.clone()),
    ];
    keys.into_iter()
        .filter(|(_, other)| other != key)
        .map(|(why, key)| {
            let token = Signer::new(&key).sign(&context.url(), &context.body);
            context.forgery(format!("signed with {why}"), &[token])
        })
        .collect()
}

/// Returns claims that do not fit this delivery, signed with the right key. Each exceeds the leeway of 30 seconds.
pub(super) fn of_claims(context: &Context) -> Vec<Forgery> {
    let base = &context.base;
    let path = &context.path;
    let now = context.claims()["iat"].as_i64().unwrap();
    let hash = Sha256::digest(&context.body);
    let table = [
        ("iss", Value::Null),
        ("iss", json!("upstash")),
        ("iss", json!("Mallory")),
        ("iss", json!(["Upstash"])),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!(path)),
        ("sub", json!(base)),
        ("sub", json!(format!("{base}{path}/"))),
        ("sub", json!(format!("{base}{path}?x=1"))),
        ("sub", json!(format!("{base}{path}#x"))),
        ("sub", json!(format!("{base}/{path}"))),
        ("sub", json!(format!("{base}/api/jobs/generate-pdf"))),
        ("sub", json!(format!("{base}/api/jobs/x/..{path}"))),
        ("sub", json!(format!("https://mallory.example.com{path}"))),
        (
            "sub",
            json!(format!("{}{path}", base.replace("http:", "https:"))),
        ),
        ("sub", json!(format!("{base}1{path}"))),
        ("sub", json!(format!("{base}.mallory.example.com{path}"))),
        ("sub", json!(format!("{base}{path}").to_ascii_uppercase())),
        ("exp", Value::Null),
        ("exp", json!(now - 60)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!((now + 300).to_string())),
        ("exp", json!(1e300)),
        ("nbf", json!(now + 120)),
        ("nbf", json!("0")),
        ("iat", json!(now + 120)),
        ("body", Value::Null),
        ("body", json!("")),
        ("body", json!(format!("{hash:x?}"))),
        ("body", json!(URL_SAFE.encode(Sha256::digest(b"")))),
        ("body", json!(URL_SAFE.encode(&hash[..31]))),
        ("body", json!(String::from_utf8_lossy(&context.body))),
    ];
    let mut forgeries: Vec<Forgery> = table
        .into_iter()
        .map(|(name, value)| {
            let why = format!("claim {name}: {value}");
            let mut claims = context.claims();
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name).unwrap();
            } else {
                claims[name] = value;
            }
            context.forgery(why, &[context.signer.seal(HEADER, &claims.to_string())])
        })
        .collect();
    let twice = context
        .claims()
        .to_string()
        .replacen('{', r#"{"iss":"Mallory","#, 1);
    for claims in [twice.as_str(), "{}", "[]", "null", "", "not json"] {
        let token = context.signer.seal(HEADER, claims);
        forgeries.push(context.forgery(format!("claims {claims:.40}"), &[token]));
    }
    forgeries
}

/// Returns a right token with a body that was not signed.
pub(super) fn of_body(context: &Context) -> Vec<Forgery> {
    let text = String::from_utf8(context.body.clone()).unwrap();
    let parsed: Value = serde_json::from_str(&text).unwrap();
    let bodies = [
        ("no body", String::new()),
        ("another body", text.replace("forged", "others")),
        ("the same JSON, indented", format!("{parsed:#}")),
        (
            "the same JSON, escaped otherwise",
            text.replacen('j', r"\u006a", 1),
        ),
        ("a line break behind it", format!("{text}\n")),
        ("a byte order mark before it", format!("\u{feff}{text}")),
        ("the body twice", format!("{text}{text}")),
        ("its base64", STANDARD.encode(&text)),
    ];
    bodies
        .into_iter()
        .map(|(why, body)| {
            assert_ne!(body, text, "{why}: is the body that was signed");
            Forgery {
                body: body.into_bytes(),
                ..context.forgery(why, &[context.valid()])
            }
        })
        .collect()
}
