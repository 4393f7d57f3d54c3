//! The table of forgeries, sent to both functions that QStash calls.

use super::forgery::{self, Context};
use super::{Target, Traces, assert_refused};
use crate::support::TestCloud;

#[tokio::test]
async fn forged_delivery_runs_nothing() {
    let cloud = TestCloud::start().await;
    for target in Target::all() {
        let context = Context::new(&cloud, &target);
        let forgeries = forgery::of_form(&context)
            .into_iter()
            .chain(forgery::of_header(&context))
            .chain(forgery::of_key(&context))
            .chain(forgery::of_claims(&context))
            .chain(forgery::of_body(&context));
        for forgery in forgeries {
            let refused = target
                .deliver_body(&cloud, &forgery.tokens, &forgery.body)
                .await;
            assert_refused(&refused, &format!("{}: {}", target.handler, forgery.why));
        }
    }
    Traces::assert_none(&cloud).await;
    assert!(!cloud.logs().contains("panicked"));

    // The same bodies run when QStash has signed them: the signature was the only obstacle.
    for target in Target::all() {
        let taken = target.deliver(&cloud, &[target.token(&cloud)]).await;
        assert_eq!(taken.status, 200, "{}: {taken:?}", target.handler);
    }
    let traces = Traces::of(&cloud).await;
    assert_eq!((traces.mails, traces.ledger_rows), (1, 1));
    assert!(traces.redis_keys > 0);
}

/// Defect 12: the subject of a signature was not checked.
#[tokio::test]
async fn delivery_signed_for_another_job_is_refused() {
    let cloud = TestCloud::start().await;
    let [email, failed] = Target::all();
    for (meant, other) in [(&email, &failed), (&failed, &email)] {
        let token = meant.token(&cloud);
        let refused = other.deliver_body(&cloud, &[&token], &meant.body).await;
        assert_refused(&refused, &format!("{} at {}", meant.handler, other.handler));
    }
    Traces::assert_none(&cloud).await;
}
