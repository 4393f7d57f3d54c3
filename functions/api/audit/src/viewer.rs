//! What the caller may see of the log.

use shared::edge::Caller;
use shared::edge::caller::Role;
use shared::service::audit::Sight;

/// The service itself and administrators see everything; a user what he or she did and the requests that he or she
/// made; an administrator of a domain the same of the domain's users.
pub(crate) fn sight(caller: &Caller) -> Sight {
    match (&caller.user_id, caller.is_admin()) {
        (None, _) | (_, true) => Sight::All,
        (Some(user), false) => Sight::Of {
            user: user.clone(),
            domain: caller
                .domain
                .clone()
                .filter(|_| caller.role == Some(Role::DomainAdmin)),
        },
    }
}
