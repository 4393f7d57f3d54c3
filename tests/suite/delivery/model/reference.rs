//! A model of a job, without Redis and without time.

use shared::service::job::Status;

use super::{Age, CallResult, End, Step};

/// A job and the counters of its type.
#[derive(Debug, Default)]
pub(super) struct Reference {
    pub(super) record: Option<Record>,
    pub(super) total: u64,
    pub(super) completed: u64,
    pub(super) dead: u64,
    pub(super) cancelled: u64,
    claims: Vec<Held>,
}

/// A job's record.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) status: Status,
    pub(super) generation: u32,
    pub(super) attempts: u32,
    panics: u32,
    /// Claims, including those that do not count as attempts.
    fences: u32,
    /// Whether the lease is still valid.
    leased: bool,
}

/// A claim from its holder's side.
#[derive(Clone, Copy, Debug)]
struct Held {
    fence: u32,
    generation: u32,
    panics: u32,
    /// Whether it has committed.
    committed: bool,
}

impl Record {
    fn new(status: Status, generation: u32) -> Self {
        Self {
            status,
            generation,
            attempts: 0,
            panics: 0,
            fences: 0,
            leased: false,
        }
    }

    fn runs(&self) -> bool {
        self.status == Status::Processing && self.leased
    }
}

impl Reference {
    /// Returns the number of jobs that are not completed, dead or cancelled.
    pub(super) fn pending(&self) -> u64 {
        self.total - self.completed - self.dead - self.cancelled
    }

    /// Returns the generation of the message that a step concerns.
    pub(super) fn generation(&self, age: Age) -> u32 {
        let current = self.record.as_ref().map_or(1, |record| record.generation);
        match age {
            Age::Older => current.saturating_sub(1),
            Age::Current => current,
            Age::Newer => current + 1,
        }
    }

    pub(super) fn take(&mut self, step: Step) -> CallResult {
        match step {
            Step::Create => self.create(),
            Step::Claim(age) => self.claim(self.generation(age)),
            Step::Commit(back, end) => self.commit(back, end),
            Step::Progress(back) => match self.held(back) {
                Some(place) => CallResult::Written(self.owns(place)),
                None => CallResult::Nothing,
            },
            Step::Cancel => self.cancel(),
            Step::Redrive => self.redrive(),
            Step::Fail(age) => self.fail(self.generation(age)),
            Step::LeaseEnds => {
                if let Some(record) = &mut self.record {
                    record.leased = false;
                }
                CallResult::Nothing
            }
        }
    }

    fn create(&mut self) -> CallResult {
        if self.record.is_none() {
            self.record = Some(Record::new(Status::Queued, 1));
            self.total += 1;
        }
        CallResult::Created
    }

    fn claim(&mut self, generation: u32) -> CallResult {
        let was = self.record.as_ref().map(|record| record.status);
        if let Some(record) = &self.record {
            if matches!(record.status, Status::Completed | Status::Cancelled) {
                return CallResult::Over;
            }
            if generation < record.generation {
                return CallResult::Superseded;
            }
            if record.runs() && generation == record.generation {
                return CallResult::Busy;
            }
        } else {
            self.record = Some(Record::new(Status::Queued, generation));
            self.total += 1;
        }
        self.become_status(Status::Processing);
        let Some(record) = &mut self.record else {
            return CallResult::Nothing;
        };
        // A holder that published a newer message has deferred the job, which does not count as an attempt.
        let goes_on = was == Some(Status::Processing) && generation > record.generation;
        record.attempts += u32::from(!goes_on);
        record.fences += 1;
        record.generation = generation;
        record.leased = true;
        let (fence, attempt, panics) = (record.fences, record.attempts, record.panics);
        self.claims.push(Held {
            fence,
            generation,
            panics,
            committed: false,
        });
        CallResult::Run {
            fence: fence.into(),
            attempt,
            panics,
        }
    }

    fn commit(&mut self, back: usize, end: End) -> CallResult {
        let Some(place) = self.held(back) else {
            return CallResult::Nothing;
        };
        let repeated = self.claims[place].committed;
        if repeated || !self.owns(place) {
            return CallResult::Written(repeated);
        }
        self.become_status(match end {
            End::Completed => Status::Completed,
            End::Failed | End::Panicked => Status::Failed,
            End::Dead => Status::Dead,
            End::Deferred => Status::Deferred,
        });
        let claim = &mut self.claims[place];
        claim.committed = true;
        if let Some(record) = &mut self.record {
            record.attempts -= u32::from(matches!(end, End::Deferred));
            record.panics = claim.panics + u32::from(matches!(end, End::Panicked));
            record.generation = claim.generation + u32::from(matches!(end, End::Deferred));
        }
        CallResult::Written(true)
    }

    fn cancel(&mut self) -> CallResult {
        let Some(record) = &mut self.record else {
            return CallResult::Unknown;
        };
        let ended = matches!(
            record.status,
            Status::Completed | Status::Dead | Status::Cancelled
        );
        if ended || record.runs() {
            return CallResult::Refused;
        }
        self.become_status(Status::Cancelled);
        CallResult::Cancelled
    }

    fn redrive(&mut self) -> CallResult {
        let Some(record) = &mut self.record else {
            return CallResult::Unknown;
        };
        if record.status == Status::Completed || record.runs() {
            return CallResult::Refused;
        }
        if record.status != Status::Queued {
            record.generation += 1;
            record.panics = 0;
            self.become_status(Status::Queued);
        }
        CallResult::Ready(self.generation(Age::Current))
    }

    fn fail(&mut self, generation: u32) -> CallResult {
        match &self.record {
            None => {
                self.record = Some(Record::new(Status::Queued, generation));
                self.total += 1;
            }
            Some(record) if matches!(record.status, Status::Completed | Status::Cancelled) => {
                return CallResult::Kept;
            }
            Some(record) if generation < record.generation => return CallResult::Kept,
            Some(record) if record.runs() => return CallResult::Busy,
            Some(_) => {}
        }
        self.become_status(Status::Dead);
        CallResult::Dead
    }

    /// Returns the claim at this distance from the newest.
    fn held(&self, back: usize) -> Option<usize> {
        self.claims.len().checked_sub(back + 1)
    }

    /// Returns whether this claim still owns the job.
    fn owns(&self, place: usize) -> bool {
        self.record.as_ref().is_some_and(|record| {
            record.status == Status::Processing && record.fences == self.claims[place].fence
        })
    }

    fn become_status(&mut self, to: Status) {
        let Some(record) = &mut self.record else {
            return;
        };
        for (status, change) in [(record.status, -1), (to, 1)] {
            let counter = match status {
                Status::Completed => &mut self.completed,
                Status::Dead => &mut self.dead,
                Status::Cancelled => &mut self.cancelled,
                _ => continue,
            };
            *counter = counter.saturating_add_signed(change);
        }
        record.status = to;
    }
}
