//! Every input that `signtusk_create_notification` accepts, its job accepts too.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use shared::protocol::postgres::{Json, Parameter, Type};
use shared::service::notification::Notification;

use super::new_user;
use crate::support::ledger::LedgerDatabase;

const CREATE: &str =
    "select public.signtusk_create_notification($1::uuid, 'general', $2, $3, $4, $5)::text as id";

/// Returns whether the function accepts it.
async fn is_taken(
    database: &LedgerDatabase,
    user: Option<&str>,
    words: [&str; 2],
    data: &Value,
    url: Option<&str>,
) -> bool {
    let data = Json(data);
    let parameters: [Parameter<'_>; 5] = [
        (&user, Type::TEXT),
        (&words[0], Type::TEXT),
        (&words[1], Type::TEXT),
        (&data, Type::JSONB),
        (&url, Type::TEXT),
    ];
    database.owner.query(CREATE, &parameters).await.is_ok()
}

#[tokio::test]
async fn notification_invalid_for_the_job_is_refused_by_the_sql_function() {
    let database = LedgerDatabase::fresh().await;
    let user = new_user().to_string();
    let user = Some(user.as_str());
    let none = json!({});
    let long = |length: usize| "x".repeat(length);
    for title in ["", " ", "a\nb", "a\u{202e}b", "a\u{2066}b", &long(256)] {
        assert!(
            !is_taken(&database, user, [title, "M"], &none, None).await,
            "{title:?}"
        );
    }
    for message in ["", " \n", "a\u{7}b", "a\u{feff}b", &long(5001)] {
        assert!(
            !is_taken(&database, user, ["T", message], &none, None).await,
            "{message:?}"
        );
    }
    for url in [
        "",
        "sign/1",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a b",
        "https://a@b.example",
    ] {
        assert!(
            !is_taken(&database, user, ["T", "M"], &none, Some(url)).await,
            "{url}"
        );
    }
    for data in [
        json!([1]),
        json!("x"),
        json!(1),
        json!({ "x": long(20_000) }),
    ] {
        assert!(!is_taken(&database, user, ["T", "M"], &data, None).await);
    }
    assert!(!is_taken(&database, None, ["T", "M"], &none, None).await);
    for (title, message, data, url) in [
        ("T", "M", json!({}), None),
        (
            long(255).as_str(),
            long(5000).as_str(),
            json!({ "a": [1, "x"] }),
            Some("/sign/1?a=b#c"),
        ),
        (
            "山田太郎",
            "two\nlines",
            Value::Null,
            Some("https://app.example.com:8443/x"),
        ),
    ] {
        assert!(
            is_taken(&database, user, [title, message], &data, url).await,
            "{title} {url:?}"
        );
    }
}

#[tokio::test]
async fn random_notification_accepted_by_sql_is_accepted_by_the_job() {
    let database = LedgerDatabase::fresh().await;
    let user = new_user().to_string();
    let text = || {
        prop_oneof![
            "\\PC{0,300}",
            any::<String>(),
            "[ \\t\\r\\n\u{a0}\u{2028}\u{2066}x]{0,6}"
        ]
    };
    let url = proptest::option::of(prop_oneof![
        "/[!-~]{0,20}",
        "https?://[a-zA-Z0-9.@:-]{1,20}[/?#]?[!-~]{0,10}",
        any::<String>(),
    ]);
    let data = prop_oneof![
        Just(json!({})),
        any::<String>().prop_map(|it| json!({ "a": it.replace('\0', "") })),
        any::<f64>().prop_map(|it| json!({ "a": [it] })),
        (0..16_500_usize).prop_map(|it| json!({ "a": "x".repeat(it) })),
        any::<bool>().prop_map(|it| json!(it)),
    ];
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let mut taken = 0;
    for _ in 0..300 {
        let sample = (text(), text(), &data, &url)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let (title, message, data, url) = sample;
        if [&title, &message].iter().any(|it| it.contains('\0'))
            || url.iter().any(|it| it.contains('\0'))
        {
            continue;
        }
        if is_taken(
            &database,
            Some(&user),
            [&title, &message],
            &data,
            url.as_deref(),
        )
        .await
        {
            taken += 1;
            let payload = json!({
                "type": "general", "userId": user, "title": title, "message": message, "data": data, "actionUrl": url,
            });
            let read = Notification::parse(&payload);
            assert!(read.is_ok(), "{payload}: {read:?}");
        }
    }
    assert!(taken > 20, "{taken}");
}
