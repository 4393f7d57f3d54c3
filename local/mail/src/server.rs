//! The listeners: the endpoint that takes mails, the mailbox that shows them, and the topic of their events.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::routing::post;

use crate::events::sns;
use crate::fault::Faults;
use crate::listener::Listener;
use crate::mail::Mail;
use crate::mailbox;
use crate::send_email::{self, Account};
use crate::store::{Filter, Store};

/// How to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where SES listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the mailbox listens; port 0 takes a free one.
    pub mailbox: SocketAddr,
    /// Where the topic of SES's events has its certificate; port 0 takes a free one.
    pub sns: SocketAddr,
    /// The folder of the mails.
    pub data: PathBuf,
    /// The identities that may send: addresses, or domains (which stand for their subdomains, too).
    pub verified: Vec<String>,
}

/// Why it could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address is taken, or not ours to take.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder or the file of the mails cannot be used.
    #[error("cannot keep mails in {}", folder.display())]
    Store {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The running endpoint, its mailbox and its topic. Dropping it stops them.
#[derive(Debug)]
pub struct Server {
    account: Arc<Account>,
    ses: Listener,
    mailbox: Listener,
    sns: Listener,
}

/// Starts the listeners.
pub async fn start(settings: Settings) -> Result<Server, Error> {
    let store = Store::open(&settings.data).map_err(|source| Error::Store {
        folder: settings.data,
        source,
    })?;
    let store = Arc::new(store);
    let account = Arc::new(Account {
        verified: settings.verified,
        faults: Faults::default(),
        store: Arc::clone(&store),
        requests: AtomicU64::new(0),
    });
    let endpoint = Router::new()
        .route("/v2/email/outbound-emails", post(send_email::send_email))
        .fallback(send_email::unknown_operation)
        .method_not_allowed_fallback(send_email::unknown_operation)
        .with_state(Arc::clone(&account));
    Ok(Server {
        account,
        ses: bind(settings.listen, endpoint).await?,
        mailbox: bind(settings.mailbox, mailbox::router(store)).await?,
        sns: bind(settings.sns, sns::router()).await?,
    })
}

async fn bind(address: SocketAddr, router: Router) -> Result<Listener, Error> {
    Listener::bind(address, router)
        .await
        .map_err(|source| Error::Listen { address, source })
}

impl Server {
    /// What `AWS_ENDPOINT_URL_SESV2` takes.
    #[must_use]
    pub fn ses_url(&self) -> String {
        self.ses.url()
    }

    /// Where the mails are shown.
    #[must_use]
    pub fn mailbox_url(&self) -> String {
        self.mailbox.url()
    }

    /// What `AWS_ENDPOINT_URL_SNS` takes: where the topic's certificate lies.
    #[must_use]
    pub fn sns_url(&self) -> String {
        self.sns.url()
    }

    /// How many `SendEmail` requests there were, refused ones included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.account.requests.load(Ordering::Relaxed)
    }

    /// Every kept mail to this address (`None`: to anybody), newest first. A file that can no longer be read is
    /// logged and shows none.
    #[must_use]
    pub fn messages(&self, to: Option<&str>) -> Vec<Mail> {
        let filter = Filter {
            to: to.unwrap_or_default().to_owned(),
            ..Filter::default()
        };
        self.account
            .store
            .list(&filter, usize::MAX)
            .unwrap_or_else(|error| {
                tracing::error!(%error, "the mails cannot be read");
                Vec::new()
            })
    }

    /// The switch of its failures.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.account.faults.clone()
    }

    /// Stops the listeners; calls in flight are cut.
    pub async fn stop(self) {
        self.ses.stop().await;
        self.mailbox.stop().await;
        self.sns.stop().await;
    }
}
