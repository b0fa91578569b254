//! Uses the private cluster in the folder that is given, says which Postgres it met, and stops when its standard
//! input ends. For the tests of several processes.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;

use adapter_store::{Cluster, ClusterConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let data_folder: PathBuf = std::env::args_os().nth(1).ok_or("name a folder")?.into();
    let config = ClusterConfig {
        data_folder: data_folder.clone(),
        programs: None,
    };
    let cluster = Cluster::open(config).await?;
    let file = data_folder.join("postgres/data/postmaster.pid");
    let text = std::fs::read_to_string(file)?;
    let pid = text.lines().next().ok_or("postmaster.pid is empty")?;
    writeln!(std::io::stdout(), "uses {pid}")?;
    tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await?;
    cluster.stop().await?;
    Ok(())
}
