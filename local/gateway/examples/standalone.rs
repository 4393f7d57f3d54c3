//! A standalone gateway: `standalone <template> <folder of binaries> <listen address>`. It prints its base URL and runs
//! until its standard input closes.

use std::collections::BTreeMap;
use std::error::Error;

use local_gateway::Settings;
use tokio::io::AsyncReadExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [template, bin_dir, listen] = arguments.as_slice() else {
        return Err("usage: standalone <template> <folder of binaries> <listen address>".into());
    };
    let gateway = local_gateway::start(Settings {
        listen: listen.parse()?,
        template: template.into(),
        bin_dir: bin_dir.into(),
        environment: BTreeMap::new(),
        parameters: BTreeMap::new(),
        max_instances: Settings::DEFAULT_MAX_INSTANCES,
        log: None,
    })
    .await?;
    println!("{}", gateway.url());
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    gateway.stop().await;
    Ok(())
}
