//! The entries of the log that a caller may see.

use shared::edge::Caller;
use shared::edge::caller::Role;
use shared::service::audit::Viewer;

/// Returns the caller's view of the log. The service and administrators see everything. A user sees own actions and own
/// requests. A domain administrator sees the same for all users of the domain.
pub(crate) fn viewer(caller: &Caller) -> Viewer {
    match (&caller.user_id, caller.is_admin()) {
        (None, _) | (_, true) => Viewer::All,
        (Some(user), false) => Viewer::Of {
            user: user.clone(),
            domain: caller
                .domain
                .clone()
                .filter(|_| caller.role == Some(Role::DomainAdmin)),
        },
    }
}
