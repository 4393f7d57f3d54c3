//! Suspicious user agents. This detects simple tools only; other checks use the visitor's behaviour.

use crate::service::user_agent::{Form, UserAgent};

/// Returns why the user agent is suspicious, if it is.
pub(super) fn suspicion(agent: &str) -> Option<&'static str> {
    if agent.trim().is_empty() {
        return Some("user-agent-empty");
    }
    match UserAgent::parse(agent).form {
        Form::Script => Some("user-agent-scripted"),
        Form::Bot => Some("user-agent-bot"),
        Form::Desktop | Form::Mobile | Form::Tablet | Form::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::suspicion;

    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

    #[test]
    fn browser_is_not_suspected_and_a_script_is() {
        let edge =
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/128.0 Safari/537.36 Edg/128.0";
        assert_eq!((suspicion(FIREFOX), suspicion(edge)), (None, None));
        assert_eq!(suspicion("  "), Some("user-agent-empty"));
        assert_eq!(suspicion("curl/8.5.0"), Some("user-agent-scripted"));
        let google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
        assert_eq!(suspicion(google), Some("user-agent-bot"));
    }

    #[test]
    fn phone_with_bot_in_its_model_is_not_suspected() {
        let phone = "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Mobile Safari/537.36";
        assert_eq!(suspicion(phone), None);
    }
}
