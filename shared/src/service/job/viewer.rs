//! What a caller may see of the jobs.

use super::record::Job;

/// A caller's sight: all jobs, a tenant's, or a user's. The scripts that steer jobs are given it, so that looking and
/// acting are one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Viewer<'a> {
    /// Only this tenant's.
    pub tenant: Option<&'a str>,
    /// Only what this user asked for.
    pub user: Option<&'a str>,
}

impl Viewer<'_> {
    /// All jobs: the service itself, and administrators.
    pub const ALL: Self = Self {
        tenant: None,
        user: None,
    };

    /// Whether a job is within sight.
    #[must_use]
    pub fn has(self, job: &Job) -> bool {
        self.tenant.is_none_or(|tenant| tenant == job.tenant)
            && self.user.is_none_or(|user| user == job.user)
    }
}
