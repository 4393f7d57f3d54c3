//! The viewer of jobs.

use super::record::Job;

/// The jobs that a caller may see: all, a tenant's, or a user's. The scripts that control jobs check it, so that check
/// and change are one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Viewer<'a> {
    /// Only this tenant's jobs.
    pub tenant: Option<&'a str>,
    /// Only this user's jobs.
    pub user: Option<&'a str>,
}

impl Viewer<'_> {
    /// The viewer of all jobs: the service itself, and administrators.
    pub const ALL: Self = Self {
        tenant: None,
        user: None,
    };

    /// Returns whether the viewer may see a job.
    #[must_use]
    pub fn has(self, job: &Job) -> bool {
        self.tenant.is_none_or(|tenant| tenant == job.tenant)
            && self.user.is_none_or(|user| user == job.user)
    }
}
