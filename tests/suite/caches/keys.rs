//! Properties of keys and entries, over random ids and values.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use shared::protocol::postgres::Postgres;
use shared::service::cache::{AnyKind, Caches, Found, Id, Object, Put, Viewer, kind};
use shared::service::key::Family;

use crate::support::store::Store;

/// Generates ids with characters that could confuse a key: colons, braces, globs, spaces, letters beyond ASCII.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c:*?{}/ ]{1,6}",
        "\\PC{1,12}",
        "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-fA-F]{12}",
        "[A-Za-z]{1,8}\\.example",
    ]
}

fn any_kind() -> impl Strategy<Value = AnyKind> {
    prop::sample::select(AnyKind::ALL.to_vec())
}

proptest! {
    /// Two entries share a key only if they have the same kind, and the same id in the kind's own spelling.
    #[test]
    fn cache_keys_are_injective(first in (any_kind(), id()), second in (any_kind(), id())) {
        let name = |(kind, id): &(AnyKind, String)| {
            Id::of(kind.subject(), id).map(|id| (kind.name(), id))
        };
        let key = |(kind, id): &(AnyKind, String)| kind.key(id);
        prop_assert_eq!(name(&first) == name(&second), key(&first) == key(&second), "{:?} {:?}", first, second);
    }

    /// An id in normal form stays the same, and its key contains it completely.
    #[test]
    fn id_spelling_is_idempotent_and_complete_in_the_key(kind in any_kind(), id in id()) {
        let Some(once) = Id::of(kind.subject(), &id) else { return Ok(()) };
        prop_assert_eq!(Id::of(kind.subject(), once.as_str()), Some(once.clone()));
        let key = kind.key(&id).unwrap();
        prop_assert!(key.ends_with(once.as_str()));
        prop_assert!(key.len() > once.as_str().len());
    }
}

#[test]
fn key_families_do_not_overlap() {
    let fixed = |family: &&Family| family.pattern.split('{').next().unwrap().to_owned();
    let all: Vec<(&str, String)> = shared::service::KEYS
        .iter()
        .flat_map(|(owner, families)| families.iter().map(|family| (*owner, fixed(family))))
        .collect();
    let caches: Vec<&String> = all
        .iter()
        .filter(|(owner, _)| *owner == "cache")
        .map(|(_, fixed)| fixed)
        .collect();
    for cache in &caches {
        let within = all.iter().filter(|(_, other)| {
            cache.starts_with(other.as_str()) || other.starts_with(cache.as_str())
        });
        assert_eq!(within.count(), 1, "{cache}");
    }
}

/// The value that was put is read back byte for byte.
#[tokio::test]
async fn value_is_read_as_it_was_put() {
    let store = Store::start().await;
    let nowhere = Postgres::at("postgresql://f:f@127.0.0.1:9/none", None).unwrap();
    let caches = Caches::new(store.client(), nowhere);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let value = prop::collection::btree_map("\\PC{0,8}", "(?s).{0,40}", 0..4);
    for n in 0..200 {
        let (id, value) = (id(), value.clone())
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let text = serde_json::to_string(&value).unwrap();
        let object = Object::read(text.as_bytes()).unwrap();
        let id = format!("{id}-{n}");
        let put = caches
            .put(&kind::USER_PROFILES, &id, &object, None)
            .await
            .unwrap();
        let Put::Done(generation) = put else {
            panic!("{id}: {put:?}")
        };
        let found = caches
            .get(&kind::USER_PROFILES, &id, &Viewer::Everything)
            .await
            .unwrap();
        let Found::Value {
            value,
            generation: of,
            ..
        } = found
        else {
            panic!("{id} is missing")
        };
        assert_eq!((value, of), (text, Some(generation)), "{id}");
    }
}
