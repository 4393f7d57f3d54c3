//! The effect of a fault on a call, and of a caller that stopped waiting.

use super::*;

#[tokio::test]
async fn fault_is_answered_with_the_code_known_to_the_sdk() {
    let provider = provider().await;
    let faults = provider.server.faults();
    for (fault, expected) in [
        (Fault::Throttled, "TooManyRequestsException"),
        (Fault::ServerError, "InternalFailure"),
        (Fault::Rejected, "MessageRejected"),
        (
            Fault::Refused(Code::MailFromDomainNotVerified),
            "MailFromDomainNotVerifiedException",
        ),
        (
            Fault::Refused(Code::SendingPaused),
            "SendingPausedException",
        ),
        (
            Fault::Refused(Code::AccountSuspended),
            "AccountSuspendedException",
        ),
        (
            Fault::Refused(Code::LimitExceeded),
            "LimitExceededException",
        ),
    ] {
        faults.set(Some(fault));
        assert_eq!(code(provider.send_to("a@b.c").await), expected);
    }
    faults.set(Some(Fault::Throttled));
    let error = provider
        .send_to("a@b.c")
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_too_many_requests_exception());
    faults.set(None);
    provider.send_to("a@b.c").await.unwrap();
    assert_eq!(provider.kept(), 1);
}

#[tokio::test]
async fn fault_affects_only_the_calls_it_was_set_for() {
    let provider = provider().await;
    let faults = provider.server.faults();
    faults.set_for_next(2, Fault::Throttled);
    faults.for_recipient("bad@example.com", Some(Fault::Rejected));
    assert_eq!(
        code(provider.send_to("a@b.c").await),
        "TooManyRequestsException"
    );
    assert_eq!(
        code(provider.send_to("Bad@example.com").await),
        "MessageRejected"
    );
    assert_eq!(
        code(provider.send_to("a@b.c").await),
        "TooManyRequestsException"
    );
    provider.send_to("a@b.c").await.unwrap();
    faults.for_recipient("bad@example.com", None);
    provider.send_to("bad@example.com").await.unwrap();
}

#[tokio::test]
async fn interrupted_call_gets_no_answer_and_its_mail_is_stored() {
    let provider = provider().await;
    provider
        .server
        .faults()
        .set_for_next(1, Fault::AcceptThenCut);
    let error = provider.send_to("a@b.c").await.unwrap_err();
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
    assert_eq!(provider.kept(), 1);
}

#[tokio::test]
async fn hook_runs_before_or_after_the_mail_is_stored() {
    let provider = provider().await;
    let faults = provider.server.faults();
    let pulled = Arc::new(AtomicU32::new(0));
    for (before, kept) in [(true, 0), (false, 1)] {
        let counter = Arc::clone(&pulled);
        let run = Arc::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        faults.set_for_next(1, Fault::Hook { before, run });
        let error = provider.send_to("a@b.c").await.unwrap_err();
        assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
        assert_eq!(provider.kept(), kept);
    }
    assert_eq!(pulled.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn mail_of_a_caller_that_timed_out_is_still_sent() {
    let provider = provider().await;
    provider
        .server
        .faults()
        .set_for_next(1, Fault::Slow(Duration::from_millis(300)));
    let sending = provider.send_to("a@b.c");
    assert!(
        tokio::time::timeout(Duration::from_millis(100), sending)
            .await
            .is_err()
    );
    let arrived = async {
        while provider.kept() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), arrived)
        .await
        .unwrap();
}
