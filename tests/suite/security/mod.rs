//! Security monitoring through the real binaries: attempts and lockouts, assessments, the block list, and recovery from
//! outages.

mod attempts;
mod blocklist;
mod blocklist_copy;
mod reconciler;
mod repeated;
mod visitors;

use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::cloud::Answer;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/128.0 Safari/537.36";

/// The owner of the account, at home.
const OWNER: Visitor = Visitor {
    ip: "203.0.113.9",
    agent: FIREFOX,
    device: Some("owners-laptop"),
};

/// Another person at another address.
const STRANGER: Visitor = Visitor {
    ip: "198.51.100.7",
    agent: CHROME,
    device: None,
};

#[derive(Clone, Copy)]
struct Visitor {
    ip: &'static str,
    agent: &'static str,
    device: Option<&'static str>,
}

impl Visitor {
    fn body(self, more: &Value) -> Value {
        let mut body = json!({ "ip": self.ip, "userAgent": self.agent });
        if let Some(device) = self.device {
            body["deviceId"] = device.into();
        }
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    async fn attempts(self, cloud: &TestCloud, account: &str, success: bool) -> Answer {
        let more = json!({ "kind": "login", "identifier": account, "success": success });
        let recorded = cloud
            .post("/api/security/attempts", &self.body(&more))
            .await;
        assert_eq!(recorded.status, 200, "{recorded:?}");
        recorded
    }

    async fn assessed(self, cloud: &TestCloud, account: &str) -> Value {
        let more = json!({ "identifier": account, "path": "/login" });
        let assessed = cloud.post("/api/security/assess", &self.body(&more)).await;
        assert_eq!(assessed.status, 200, "{assessed:?}");
        assessed.body
    }
}

fn has(assessed: &Value, reason: &str) -> bool {
    assessed["reasons"]
        .as_array()
        .unwrap()
        .contains(&json!(reason))
}
