//! The browser, or the app with a web view.

use super::Browser;
use super::products::{Products, major};

/// Products with their common names. Browsers also name the ones that they are based on, so each precedes those.
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

/// Returns the browser, if the products name one.
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

/// Recognizes Opera before it was based on Chromium: `Opera/9.80 (...) Version/12.16`.
fn opera<'a>(products: &Products<'a>) -> Option<Browser<'a>> {
    let own = products.version("Opera")?;
    Some(Browser {
        name: "Opera",
        version: major(products.version("Version").unwrap_or(own)),
    })
}

/// Recognizes Internet Explorer: `MSIE 10.0` in a comment, or Trident with `rv:11.0`.
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

/// Recognizes Safari, which has both its name and `Version`. `Version` alone is the web view of an app. Android's old
/// browser has the same form.
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
