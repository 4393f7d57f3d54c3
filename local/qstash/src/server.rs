//! Starts and stops the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api;
use crate::broker::{Broker, KEYS_SETTING};
use crate::clock::Clock;
use crate::delivery;
use crate::disorder::Draw;
use crate::flow_control::{FlowKey, Key};
use crate::keys::{KeyRing, Keys};
use crate::message::Message;
use crate::name::Name;
use crate::queue::Queue;
use crate::schedule::Schedule;
use crate::scheduler::{self, Change, Pending, Scheduler};
use crate::store::{self, Opened, Snapshot};
use crate::{Error, Settings};

/// The longest stop, for API calls and deliveries together.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// A running server. Dropping it stops it at once; [`Server::stop`] lets running deliveries end.
pub struct Server {
    address: SocketAddr,
    broker: Arc<Broker>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts a server. When this returns, all messages of the data folder are active again.
pub async fn start(settings: Settings) -> Result<Server, Error> {
    let folder = |source| Error::Folder {
        path: settings.data.clone(),
        source,
    };
    std::fs::create_dir_all(&settings.data).map_err(folder)?;
    let opened = Opened::open(&settings.data)?;
    let snapshot = opened.snapshot()?;
    let clock = Arc::new(Clock::new(settings.speed, snapshot.broker_ms()?));
    let limits = settings.limits();
    let scheduler = Arc::new(Scheduler::new(
        limits.parallelism,
        Draw::new(settings.disorder),
        Arc::clone(&clock),
    ));
    scheduler.apply(waiting(&snapshot)?);
    let keys = keys(&settings, &snapshot)?;
    drop(snapshot);
    let (stamp, apply) = (Arc::clone(&clock), Arc::clone(&scheduler));
    let store = opened
        .start(
            limits,
            move || stamp.now_ms(),
            move |changes| apply.apply(changes),
        )
        .map_err(folder)?;
    let http = delivery::client().map_err(Error::Client)?;
    let broker = Arc::new(Broker::new(store, scheduler, clock, http, &settings, keys));

    let listen = |source| Error::Listen {
        address: settings.listen,
        source,
    };
    let listener = TcpListener::bind(settings.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let (stop, stopped) = watch::channel(false);
    let tasks = vec![
        tokio::spawn(scheduler::run(Arc::clone(&broker), stopped.clone())),
        tokio::spawn(api::serve(listener, Arc::clone(&broker), stopped)),
    ];
    Ok(Server {
        address,
        broker,
        stop,
        tasks,
    })
}

/// Returns everything in the store as changes, as if it had just been written.
fn waiting(snapshot: &Snapshot) -> Result<Vec<Change>, store::Error> {
    let mut changes = Vec::new();
    for (name, queue) in snapshot.all::<Queue>()? {
        changes.push(Change::queue(&Name::stored(name), &queue));
    }
    for (key, state) in snapshot.all::<FlowKey>()? {
        let key = Key::from(key);
        changes.push(Change::FlowKey { key, state });
    }
    snapshot.each::<Message>(|_, message| {
        changes.push(Change::Add(Pending::from(&message)));
        std::ops::ControlFlow::Continue(())
    })?;
    for (_, schedule) in snapshot.all::<Schedule>()? {
        changes.push(Change::Schedule {
            id: schedule.id,
            next_ms: schedule.next_ms,
        });
    }
    Ok(changes)
}

/// Returns the keys. Rotated keys stay rotated, unless the server now starts with other keys.
fn keys(settings: &Settings, snapshot: &Snapshot) -> Result<KeyRing, store::Error> {
    let configured = Keys {
        current: settings.current_signing_key.clone(),
        next: settings.next_signing_key.clone(),
    };
    let kept = snapshot
        .setting::<KeyRing>(KEYS_SETTING)?
        .filter(|ring| ring.configured == configured);
    Ok(kept.unwrap_or_else(|| KeyRing {
        active: configured.clone(),
        configured,
    }))
}

impl Server {
    /// Returns the base URL of the API, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets the speed of the server's time from now on; see [`Settings::speed`].
    pub fn set_speed(&self, speed: f64) {
        self.broker.clock.set_speed(speed);
        self.broker.scheduler.wake();
    }

    /// Holds or releases deliveries. While held, messages are accepted and not delivered.
    pub fn hold(&self, held: bool) {
        self.broker.hold(held);
    }

    /// Returns the number of served API requests.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.broker.requests()
    }

    /// Stops: accepts no more calls, and gives running deliveries at most two seconds to end. The others are delivered
    /// again after the next start.
    pub async fn stop(mut self) {
        // The send fails if both tasks have already ended.
        let _ = self.stop.send(true);
        for mut task in std::mem::take(&mut self.tasks) {
            if tokio::time::timeout(STOP_LIMIT, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        for task in &self.tasks {
            task.abort();
        }
        self.broker.store.close();
    }
}
