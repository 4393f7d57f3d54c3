//! What the caller may see of the log.

use shared::edge::Caller;
use shared::edge::caller::Role;
use shared::service::audit::Viewer;

/// The service itself and administrators see everything; a user what he or she did and the requests that he or she
/// made; an administrator of a domain the same of the domain's users.
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
