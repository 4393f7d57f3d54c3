//! The listeners: the endpoints of the providers, the mailbox, and the topic of events.

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

/// The settings. Port 0 takes a free port.
#[derive(Clone)]
pub struct Settings {
    /// The address of SES.
    pub ses: SocketAddr,
    /// The address of Resend.
    pub resend: SocketAddr,
    /// The address of the mailbox.
    pub mailbox: SocketAddr,
    /// The address of the topic of SES events.
    pub sns: SocketAddr,
    /// The folder of the mails.
    pub data: PathBuf,
    /// The verified identities: addresses or domains. At SES, a domain also covers its subdomains.
    pub verified: Vec<String>,
    /// The configuration set of SES.
    pub configuration_set: String,
    /// The API key of Resend.
    pub resend_key: String,
    /// The signing secret of Resend's webhooks: `whsec_...`.
    pub webhook_secret: String,
    /// The recipients that SES accepts per second; none: no limit.
    pub ses_rate: Option<u32>,
    /// The calls that Resend accepts per second; none: no limit.
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
    /// The rate of SES for an account that has just left the sandbox; in the sandbox it is one.
    pub const DEFAULT_SES_RATE: u32 = 14;

    /// The rate of Resend for every team.
    pub const DEFAULT_RESEND_RATE: u32 = 5;

    /// Returns the settings for a test: free ports, no rates, and `signtusk.localhost` as verified domain.
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

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address is in use or not permitted.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A signing key of events is unusable.
    #[error("the mail events cannot be signed")]
    Events(#[from] events::Error),
    /// The folder or file of mails is unusable.
    #[error("cannot store mails in {}", folder.display())]
    Store {
        /// The folder.
        folder: PathBuf,
        /// The system's error.
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
    /// Returns the value for `AWS_ENDPOINT_URL_SESV2`.
    #[must_use]
    pub fn ses_url(&self) -> String {
        self.ses.url()
    }

    /// Returns the value for `RESEND_URL`.
    #[must_use]
    pub fn resend_url(&self) -> String {
        self.resend.url()
    }

    /// Returns the URL of the mailbox.
    #[must_use]
    pub fn mailbox_url(&self) -> String {
        self.mailbox.url()
    }

    /// Returns the value for `AWS_ENDPOINT_URL_SNS`: the host of the topic's certificate and confirmations.
    #[must_use]
    pub fn sns_url(&self) -> String {
        self.sns.url()
    }

    /// Returns the number of sending requests at both providers, including rejected ones.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.account.requests.load(Ordering::Relaxed)
    }

    /// Returns every stored mail to this address (`None`: to all), newest first. An unreadable file is logged and gives
    /// none.
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

    /// Returns the events of the mails.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.account.events
    }

    /// Returns the switch of faults for both providers.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.account.faults.any.clone()
    }

    /// Returns the switch of one provider's faults. They have priority over those of [`Server::faults`].
    #[must_use]
    pub fn faults_of(&self, provider: Provider) -> Faults {
        self.account.faults.of(provider).clone()
    }

    /// Stops the listeners; running calls are disconnected.
    pub async fn stop(self) {
        self.ses.stop().await;
        self.resend.stop().await;
        self.mailbox.stop().await;
        self.sns.stop().await;
    }
}
