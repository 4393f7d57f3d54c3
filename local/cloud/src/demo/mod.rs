//! The demo: the product's main job on real input, followed live.
//!
//! It enqueues one signature request to a signer of the sample data and a bulk to 25 more. The jobs go through the API
//! into the queue, come back signed to the function, and their mails arrive in the mailbox. All parts are real and run
//! on this machine.

mod api;
mod follow;
mod requests;
mod summary;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::cloud::Cloud;

use self::api::Api;

/// The timeout of all jobs.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Why the demo did not complete.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sample data could not be read.
    #[error("the sample data cannot be read")]
    Sample(#[from] tokio_postgres::Error),
    /// An API call failed.
    #[error("the functions cannot be called")]
    Call(#[from] reqwest::Error),
    /// The client could not be built.
    #[error("the functions cannot be called")]
    Client(#[from] shared::protocol::http::Error),
    /// The API answered with an error.
    #[error("{route} answered {status}: {detail}")]
    Refused {
        /// The route.
        route: String,
        /// The status code.
        status: u16,
        /// The error's detail.
        detail: String,
    },
    /// The sample mail could not be written.
    #[error("the sample mail cannot be written")]
    Write(#[from] io::Error),
}

/// The result of the demo.
#[derive(Debug)]
pub struct Outcome {
    /// Whether every job was completed and every mail is in the mailbox.
    pub all_well: bool,
    /// One of the mails as the recipient sees it.
    pub sample: Option<PathBuf>,
}

/// Runs the demo on a cloud that has the sample data.
pub async fn run(cloud: &Cloud) -> Result<Outcome, Error> {
    let api = Api::new(cloud)?;
    let signer = requests::first_signer(cloud.migrations_database_url()).await?;
    println!("\n1. Into the queue, through the API\n");
    let before = cloud.mail().messages(None).len();
    let single = api.enqueue("/api/queue/emails", &signer.request()).await?;
    let bulk = api
        .enqueue("/api/queue/emails/bulk", &requests::bulk())
        .await?;
    println!("   one signature request   job {}", single.join(", "));
    println!(
        "   a bulk of {:<14} job {}",
        requests::BULK,
        bulk.join(", ")
    );

    println!("\n2. Through the queue, to the function, into the mailbox\n");
    let ids: Vec<String> = single.into_iter().chain(bulk).collect();
    let jobs = follow::until_ended(&api, &ids, requests::BULK as u64 + 1, TIMEOUT).await?;

    println!("\n3. The results\n");
    let mails = cloud.mail().messages(None).len() - before;
    println!("{}", summary::table(&jobs));
    println!("   {mails} mails in the mailbox");
    let sample = keep_sample(cloud, &signer.email)?;
    if let Some(sample) = &sample {
        println!("   one of them: {}", sample.display());
    }
    Ok(Outcome {
        all_well: mails == requests::BULK + 1 && jobs.iter().all(follow::Followed::is_completed),
        sample,
    })
}

/// Saves the newest mail to `address` as a file for a browser.
fn keep_sample(cloud: &Cloud, address: &str) -> Result<Option<PathBuf>, Error> {
    let Some(mail) = cloud.mail().messages(Some(address)).into_iter().next() else {
        return Ok(None);
    };
    let folder = cloud.data().join("demo");
    fs::create_dir_all(&folder)?;
    let file = folder.join("signature-request.html");
    fs::write(&file, mail.html)?;
    Ok(Some(file))
}
