//! Which browser, or which app with pages in it.

use super::Browser;
use super::products::{Products, major};

/// Products, and the names that people know them by. Browsers also name those whose pages they show: each stands
/// before what it is built on.
const BROWSERS: [(&str, &str); 54] = [
    ("FBAV", "Facebook"),
    ("FBAN", "Facebook"),
    ("FB_IAB", "Facebook"),
    ("Instagram", "Instagram"),
    ("MicroMessenger", "WeChat"),
    ("Snapchat", "Snapchat"),
    ("BytedanceWebview", "TikTok"),
    ("Line", "LINE"),
    ("LinkedInApp", "LinkedIn"),
    ("Pinterest", "Pinterest"),
    ("GSA", "Google app"),
    ("Edg", "Edge"),
    ("EdgA", "Edge"),
    ("EdgiOS", "Edge"),
    ("Edge", "Edge"),
    ("Opera Mini", "Opera Mini"),
    ("OPR", "Opera"),
    ("OPX", "Opera GX"),
    ("OPT", "Opera"),
    ("OPiOS", "Opera Mini"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("YaBrowser", "Yandex Browser"),
    ("YaSearchBrowser", "Yandex Browser"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Ddg", "DuckDuckGo"),
    ("Brave", "Brave"),
    ("UCBrowser", "UC Browser"),
    ("UBrowser", "UC Browser"),
    ("MiuiBrowser", "Mi Browser"),
    ("XiaoMi", "Mi Browser"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("VivoBrowser", "vivo Browser"),
    ("HeyTapBrowser", "HeyTap Browser"),
    ("QQBrowser", "QQ Browser"),
    ("MQQBrowser", "QQ Browser"),
    ("Whale", "Whale"),
    ("coc_coc_browser", "Coc Coc"),
    ("Silk", "Silk"),
    ("Maxthon", "Maxthon"),
    ("Sleipnir", "Sleipnir"),
    ("Puffin", "Puffin"),
    ("Iron", "Iron"),
    ("PaleMoon", "Pale Moon"),
    ("SeaMonkey", "SeaMonkey"),
    ("Waterfox", "Waterfox"),
    ("FxiOS", "Firefox"),
    ("Focus", "Firefox Focus"),
    ("Klar", "Firefox Focus"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Epiphany", "GNOME Web"),
];

/// The browser, if the products say which.
pub(super) fn browser<'a>(products: &Products<'a>, is_android: bool) -> Option<Browser<'a>> {
    let own = BROWSERS.iter().find_map(|(product, name)| {
        let version = products.version(product)?;
        Some(Browser {
            name,
            version: major(version),
        })
    });
    own.or_else(|| opera(products))
        .or_else(|| explorer(products))
        .or_else(|| safari(products, is_android))
}

/// Opera before it became a Chromium: `Opera/9.80 (...) Version/12.16`.
fn opera<'a>(products: &Products<'a>) -> Option<Browser<'a>> {
    let own = products.version("Opera")?;
    Some(Browser {
        name: "Opera",
        version: major(products.version("Version").unwrap_or(own)),
    })
}

/// `MSIE 10.0` in a comment, or Trident with `rv:11.0`.
fn explorer<'a>(products: &Products<'a>) -> Option<Browser<'a>> {
    let parts = || products.comments().flatten();
    let old = parts().find_map(|part| part.strip_prefix("MSIE "));
    let new = || {
        products.version("Trident")?;
        parts().find_map(|part| part.strip_prefix("rv:"))
    };
    Some(Browser {
        name: "Internet Explorer",
        version: major(old.or_else(new)?),
    })
}

/// Safari says its version beside its name; what says the version alone shows pages in an app. Android's own browser of
/// old looks the same.
fn safari<'a>(products: &Products<'a>, is_android: bool) -> Option<Browser<'a>> {
    products.version("Safari")?;
    let name = if is_android {
        "Android Browser"
    } else {
        "Safari"
    };
    Some(Browser {
        name,
        version: major(products.version("Version")?),
    })
}
