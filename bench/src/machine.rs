//! The machine of the measurement.

use crate::error::Error;
use crate::node;

/// Returns one line: processor, cores, memory, system, Node.
pub(crate) async fn describe() -> Result<String, Error> {
    let read = |path: &str| {
        std::fs::read_to_string(path).map_err(Error::system(format!("cannot read {path}")))
    };
    let (processors, memory) = (read("/proc/cpuinfo")?, read("/proc/meminfo")?);
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
    };
    let model = field(&processors, "model name").unwrap_or_else(|| "unknown processor".into());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kilobytes = field(&memory, "MemTotal")
        .and_then(|size| size.strip_suffix(" kB")?.parse::<u64>().ok())
        .unwrap_or_default();
    let gigabytes = (kilobytes + (1 << 19)) >> 20;
    let system = std::env::consts::OS;
    let node = node::version().await?;
    Ok(format!(
        "{model}, {cores} cores, {gigabytes} GB, {system}, Node {node}"
    ))
}
