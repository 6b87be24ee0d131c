//! `/`: a page of links, for people.

use std::fmt::Write;

use crate::monitoring::observed::Observed;
use crate::version::{NATS_VERSION, VERSION};

/// What there is: path, and what it tells.
const LINKS: &[(&str, &str)] = &[
    ("/varz", "General"),
    ("/jsz", "JetStream"),
    ("/connz", "Connections"),
    ("/accountz", "Accounts"),
    ("/accstatz", "Account Stats"),
    ("/subsz", "Subscriptions"),
    ("/routez", "Routes"),
    ("/leafz", "LeafNodes"),
    ("/gatewayz", "Gateways"),
    ("/healthz", "Health Probe"),
    ("/explainz?subject=test", "Where Is My Message"),
    ("/metrics", "Metrics (OpenMetrics)"),
];

/// Makes the page. Nothing in it comes from outside but the base path, whose letters are harmless.
pub(in crate::monitoring) fn index(observed: &Observed) -> String {
    let base = &observed.facts().base_path;
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>recado-server</title>\n\
         <style>body{{font-family:system-ui,sans-serif;margin:2rem}}a{{display:block;padding:.2rem 0}}</style></head>\n\
         <body>\n<h1>recado-server {VERSION}</h1>\n<p>Monitoring, as nats-server v{NATS_VERSION} has it.</p>\n"
    );
    for (path, name) in LINKS {
        // Writing to a string can't fail.
        let _ = writeln!(page, "<a href=\"{base}{path}\">{name}</a>");
    }
    page.push_str("</body>\n</html>\n");
    page
}
