//! The sender and the recipients of a mail.

use super::content::Written;
use super::request::Destination;
use crate::address::Address;
use crate::ses::refusal::{Code, Refusal};

/// The maximum number of recipients per call: <https://docs.aws.amazon.com/ses/latest/dg/quotas.html#limits-message>.
const MAX_RECIPIENTS: usize = 50;

/// A valid envelope; recipients are plain addresses.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// The unchanged sender, with its name.
    pub(crate) from: String,
    /// The sender's plain address.
    pub(crate) sender: Address,
    pub(crate) to: Vec<String>,
    pub(crate) cc: Vec<String>,
    pub(crate) bcc: Vec<String>,
}

impl Envelope {
    /// Creates the envelope. The request's addresses have priority over a raw mail's headers.
    pub(crate) fn new(
        from: Option<String>,
        destination: Destination,
        written: Written,
    ) -> Result<Self, Refusal> {
        let from = from
            .or(written.from)
            .ok_or_else(|| Code::BadRequest.because("FromEmailAddress is missing."))?;
        let sender = Address::parse_seven_bit(&from)?;
        let Destination {
            mut to,
            mut cc,
            mut bcc,
        } = destination;
        if to.is_empty() && cc.is_empty() && bcc.is_empty() {
            (to, cc, bcc) = (written.to, written.cc, written.bcc);
        }
        match to.len() + cc.len() + bcc.len() {
            0 => return Err(Code::BadRequest.because("Destination has no recipients.")),
            1..=MAX_RECIPIENTS => {}
            _ => {
                return Err(
                    Code::BadRequest.because(format!("Recipient count exceeds {MAX_RECIPIENTS}."))
                );
            }
        }
        Ok(Self {
            from,
            sender,
            to: plain(&to)?,
            cc: plain(&cc)?,
            bcc: plain(&bcc)?,
        })
    }
}

fn plain(addresses: &[String]) -> Result<Vec<String>, Refusal> {
    addresses
        .iter()
        .map(|address| Ok(Address::parse_seven_bit(address)?.as_str().to_owned()))
        .collect()
}
