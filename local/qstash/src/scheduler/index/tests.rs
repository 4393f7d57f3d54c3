//! The order in which messages start.

use super::*;

const PARALLELISM: usize = 10;

fn pending(queue: Option<&str>, retried: u32) -> Pending {
    let id = MessageId::new();
    let place = queue.map(|queue| Place {
        queue: Name::parse(queue).expect(queue),
        root: id.clone(),
    });
    Pending {
        id,
        due_ms: 0,
        place,
        flow_key: None,
        retried,
    }
}

fn started(index: &mut Index) -> Vec<MessageId> {
    index.start(0).into_iter().map(|start| start.id).collect()
}

fn starts_only(index: &mut Index, id: &MessageId) -> bool {
    started(index).iter().eq([id])
}

#[test]
fn queue_starts_the_next_message_after_the_first_and_its_callback() {
    let mut index = Index::new(PARALLELISM);
    let (first, second) = (pending(Some("q"), 0), pending(Some("q"), 0));
    let callback = Pending {
        place: first.place.clone(),
        ..pending(None, 0)
    };
    index.add(second.clone());
    index.add(first.clone());
    assert!(
        starts_only(&mut index, &first.id),
        "the older one goes first"
    );
    index.apply(Change::Add(callback.clone()));
    index.apply(Change::Remove(first.id));
    assert!(starts_only(&mut index, &callback.id));
    index.apply(Change::Remove(callback.id));
    assert!(starts_only(&mut index, &second.id));
}

#[test]
fn retried_message_keeps_its_place_after_a_restart() {
    let mut index = Index::new(PARALLELISM);
    let (older, tried) = (pending(Some("q"), 0), pending(Some("q"), 1));
    index.add(older.clone());
    index.add(tried.clone());
    assert!(starts_only(&mut index, &tried.id));
    index.apply(Change::Remove(tried.id));
    assert!(starts_only(&mut index, &older.id));
}

#[test]
fn running_messages_are_limited_to_the_global_parallelism() {
    let mut index = Index::new(PARALLELISM);
    for _ in 0..PARALLELISM + 10 {
        index.add(pending(None, 0));
    }
    let first = index.start(0);
    assert_eq!(first.len(), PARALLELISM);
    index.end(&first[0]);
    assert_eq!(started(&mut index).len(), 1);
}

#[test]
fn cancelled_message_never_starts_and_frees_its_place() {
    let mut index = Index::new(PARALLELISM);
    let (first, second) = (pending(Some("q"), 0), pending(Some("q"), 0));
    index.add(first.clone());
    index.add(second.clone());
    index.apply(Change::Remove(first.id));
    assert!(starts_only(&mut index, &second.id));
}
