//! The listeners: the endpoints that take mails, the mailbox that shows them, and the topic of their events.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::account::Account;
use crate::events::{self, EventSender, Events, sns, svix};
use crate::fault::{Faults, Switches};
use crate::listener::{Bound, Listener};
use crate::mail::{Mail, Provider};
use crate::mailbox;
use crate::rate::{Rate, Rates};
use crate::store::{Filter, Store};
use crate::{resend, ses};

/// How to start. Port 0 takes a free one.
#[derive(Clone)]
pub struct Settings {
    /// Where SES listens.
    pub ses: SocketAddr,
    /// Where Resend listens.
    pub resend: SocketAddr,
    /// Where the mailbox listens.
    pub mailbox: SocketAddr,
    /// Where the topic of SES's events has its certificate.
    pub sns: SocketAddr,
    /// The folder of the mails.
    pub data: PathBuf,
    /// The identities that may send: addresses, or domains. At SES a domain stands for its subdomains, too.
    pub verified: Vec<String>,
    /// The configuration set that SES knows.
    pub configuration_set: String,
    /// The API key that Resend knows.
    pub resend_key: String,
    /// The secret that Resend signs its webhooks with: `whsec_...`.
    pub webhook_secret: String,
    /// How many recipients SES takes in a second; none: any number.
    pub ses_rate: Option<u32>,
    /// How many calls Resend takes in a second; none: any number.
    pub resend_rate: Option<u32>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("ses", &self.ses)
            .field("resend", &self.resend)
            .field("mailbox", &self.mailbox)
            .field("sns", &self.sns)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// What SES takes in a second of an account that has just left the sandbox; in it, it is one.
    pub const DEFAULT_SES_RATE: u32 = 14;

    /// What Resend takes in a second of any team.
    pub const DEFAULT_RESEND_RATE: u32 = 5;

    /// For a test: free ports, no rates, and `signtusk.localhost` may send.
    #[must_use]
    pub fn throwaway(data: &Path) -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            ses: free,
            resend: free,
            mailbox: free,
            sns: free,
            data: data.to_owned(),
            verified: vec!["signtusk.localhost".to_owned()],
            configuration_set: "signtusk".to_owned(),
            resend_key: "re_throwaway".to_owned(),
            webhook_secret: svix::secret_of("throwaway"),
            ses_rate: None,
            resend_rate: None,
        }
    }
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
    /// A key that events are signed with cannot be used.
    #[error("the mail events cannot be signed")]
    Events(#[from] events::Error),
    /// The folder or the file of the mails cannot be used.
    #[error("cannot store mails in {}", folder.display())]
    Store {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The running endpoints, their mailbox and their topic. Dropping it stops them.
#[derive(Debug)]
pub struct Server {
    account: Arc<Account>,
    ses: Listener,
    resend: Listener,
    mailbox: Listener,
    sns: Listener,
    _event_sender: EventSender,
}

/// Starts the listeners.
pub async fn start(settings: Settings) -> Result<Server, Error> {
    let store = Store::open(&settings.data).map_err(|source| Error::Store {
        folder: settings.data,
        source,
    })?;
    let store = Arc::new(store);
    let ses = bind(settings.ses).await?;
    let resend = bind(settings.resend).await?;
    let mailbox = bind(settings.mailbox).await?;
    let sns = bind(settings.sns).await?;
    let webhook_key = svix::Key::parse(&settings.webhook_secret).map_err(events::Error::from)?;
    let signer = sns::Signer::new(&sns.url()).map_err(events::Error::from)?;
    let (events, tasks) = Events::new(signer, webhook_key);
    let account = Arc::new(Account {
        verified: settings.verified,
        configuration_set: settings.configuration_set,
        resend_key: settings.resend_key,
        rates: Rates {
            ses: Rate::new(settings.ses_rate),
            resend: Rate::new(settings.resend_rate),
        },
        faults: Switches::default(),
        store: Arc::clone(&store),
        events: events.clone(),
        requests: AtomicU64::new(0),
    });
    Ok(Server {
        ses: ses.serve(ses::router(Arc::clone(&account))),
        resend: resend.serve(resend::router(Arc::clone(&account))),
        mailbox: mailbox.serve(mailbox::router(store, events.clone())),
        sns: sns.serve(sns::router(events.clone())),
        _event_sender: EventSender::start(events, tasks),
        account,
    })
}

async fn bind(address: SocketAddr) -> Result<Bound, Error> {
    Bound::new(address)
        .await
        .map_err(|source| Error::Listen { address, source })
}

impl Server {
    /// What `AWS_ENDPOINT_URL_SESV2` takes.
    #[must_use]
    pub fn ses_url(&self) -> String {
        self.ses.url()
    }

    /// What `RESEND_URL` takes.
    #[must_use]
    pub fn resend_url(&self) -> String {
        self.resend.url()
    }

    /// Where the mails are shown.
    #[must_use]
    pub fn mailbox_url(&self) -> String {
        self.mailbox.url()
    }

    /// What `AWS_ENDPOINT_URL_SNS` takes: where the topic's certificate lies and its confirmations go.
    #[must_use]
    pub fn sns_url(&self) -> String {
        self.sns.url()
    }

    /// How many requests there were to send something, at both providers, refused ones included.
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
                tracing::error!(%error, "mails not read; an empty list is returned");
                Vec::new()
            })
    }

    /// What becomes of the mails, and who is told.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.account.events
    }

    /// The switch of failures that whichever provider is called meets.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.account.faults.any.clone()
    }

    /// The switch of one provider's failures. They go before those of [`Server::faults`].
    #[must_use]
    pub fn faults_of(&self, provider: Provider) -> Faults {
        self.account.faults.of(provider).clone()
    }

    /// Stops the listeners; calls in flight are cut.
    pub async fn stop(self) {
        self.ses.stop().await;
        self.resend.stop().await;
        self.mailbox.stop().await;
        self.sns.stop().await;
    }
}
