//! A compose folder, an image and a gateway for one test, on the private daemon.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use adapter_docker::{DockerGateways, Endpoint, GatewayDocker};
use bollard::query_parameters::{
    CreateImageOptions, ListContainersOptions, RemoveContainerOptions, RemoveImageOptions,
    RemoveVolumeOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::ports::Containers;
use futures::StreamExt;
use uuid::Uuid;

/// As long as a test may wait for anything.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Everything one test needs; gone when it ends.
pub(crate) struct Bench {
    pub(crate) docker: Docker,
    pub(crate) gateways: DockerGateways,
    pub(crate) gateway: GatewayId,
    pub(crate) folder: PathBuf,
    pub(crate) project: String,
    pub(crate) image: String,
    unique: Uuid,
}

/// A folder with a gateway whose compose file uses much of what compose offers.
pub(crate) const RICH: &str = r#"
services:
  gateway:
    image: IMAGE
    hostname: gateway
    init: true
    restart: unless-stopped
    environment:
      GREETING: hello
      OPENCLAW_GATEWAY_TOKEN: ${OPENCLAW_API_KEY:?missing}
    command: ["sh", "-c", "echo key $$OPENCLAW_GATEWAY_TOKEN; exec sleep 600"]
    ports: ["127.0.0.1::18789"]
    expose: ["18790"]
    volumes:
      - state:/state
      - ./conf:/conf:ro
      - type: tmpfs
        target: /scratch
        tmpfs: { size: 1048576 }
    tmpfs: ["/run:size=1m"]
    networks:
      default: { aliases: [claw] }
      side: {}
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 50
    healthcheck: { test: ["CMD", "true"], interval: 1s, timeout: 5s, retries: 2, start_period: 1s }
    labels: { team: ops }
    user: "0:0"
    working_dir: /state
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
    security_opt: ["no-new-privileges:true"]
    logging: { driver: json-file, options: { max-size: 1m } }
    extra_hosts: ["standin:1.2.3.4"]
    read_only: true
    ulimits: { nofile: { soft: 1000, hard: 2000 } }
    stop_grace_period: 3s
    stop_signal: SIGTERM
    shm_size: 32m
    dns: ["9.9.9.9"]
networks:
  side: {}
volumes:
  state: {}
"#;

/// The least there can be.
pub(crate) const PLAIN: &str = r"
services:
  gateway:
    image: IMAGE
    init: true
";

impl Bench {
    pub(crate) async fn new(compose: &str) -> Self {
        Self::at(compose, socket()).await
    }

    /// The same, with the adapter going through another socket than the test itself.
    pub(crate) async fn at(compose: &str, through: PathBuf) -> Self {
        let docker = client().await;
        let unique = unique();
        let project = format!("pt{}", &unique.simple().to_string()[..10]);
        let image = format!("panel-test:{project}");
        import(&docker, &image).await;
        let folder = std::env::temp_dir().join(&project);
        std::fs::create_dir_all(folder.join("conf")).unwrap();
        let gateway: GatewayId = "test".parse().unwrap();
        let bench = Self {
            docker,
            gateways: DockerGateways::new(vec![GatewayDocker {
                id: gateway.clone(),
                endpoint: Endpoint::Unix(through),
                compose_dir: folder.clone(),
                service: "gateway".to_owned(),
                environment: BTreeMap::new(),
            }]),
            gateway,
            folder,
            project,
            image,
            unique,
        };
        bench.write(compose);
        bench.write_env("OPENCLAW_API_KEY=first-secret-value\n");
        bench
    }

    pub(crate) fn write(&self, compose: &str) {
        let text = compose.replace("IMAGE", &self.image);
        std::fs::write(self.folder.join("docker-compose.yml"), text).unwrap();
    }

    pub(crate) fn write_env(&self, text: &str) {
        std::fs::write(self.folder.join(".env"), text).unwrap();
    }

    /// The name compose would give.
    pub(crate) fn name(&self) -> String {
        format!("{}-gateway-1", self.project)
    }

    pub(crate) fn operation(&self, number: u128) -> OperationId {
        OperationId(Uuid::from_u128(self.unique.as_u128().wrapping_add(number)))
    }

    /// Creates what the folder asks for; its id.
    pub(crate) async fn create(&self, number: u128) -> String {
        let fingerprint = self
            .gateways
            .compare(&self.gateway)
            .await
            .unwrap()
            .fingerprint;
        let operation = self.operation(number);
        self.gateways
            .create(&self.gateway, operation, &fingerprint)
            .await
            .unwrap()
    }

    /// Creates and starts.
    pub(crate) async fn up(&self) -> String {
        let id = self.create(1).await;
        self.gateways.start(&self.gateway, &id).await.unwrap();
        id
    }

    /// What differs, by name.
    pub(crate) async fn differing(&self) -> Vec<String> {
        let comparison = self.gateways.compare(&self.gateway).await.unwrap();
        comparison
            .differences
            .into_iter()
            .map(|one| one.what)
            .collect()
    }

    /// Containers that ran a program beside this gateway.
    pub(crate) async fn helpers(&self) -> usize {
        let options = ListContainersOptions {
            all: true,
            ..ListContainersOptions::default()
        };
        let all = self.docker.list_containers(Some(options)).await.unwrap();
        let wanted = format!("/{}.panel-helper", self.name());
        let names = all.into_iter().filter_map(|one| one.names);
        names.filter(|names| names.contains(&wanted)).count()
    }

    pub(crate) async fn kill(&self, id: &str) {
        self.docker.kill_container(id, None).await.unwrap();
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let (docker, project, image) = (
            self.docker.clone(),
            self.project.clone(),
            self.image.clone(),
        );
        let tidying = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(tidy(&docker, &project, &image));
        });
        drop(tidying.join());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

async fn tidy(docker: &Docker, project: &str, image: &str) {
    let options = ListContainersOptions {
        all: true,
        ..ListContainersOptions::default()
    };
    for one in docker
        .list_containers(Some(options))
        .await
        .unwrap_or_default()
    {
        let named = one
            .names
            .iter()
            .flatten()
            .any(|name| name.contains(project));
        if let (true, Some(id)) = (named, one.id) {
            let force = RemoveContainerOptions {
                force: true,
                v: true,
                link: false,
            };
            drop(docker.remove_container(&id, Some(force)).await);
        }
    }
    for network in ["default", "side"] {
        drop(docker.remove_network(&format!("{project}_{network}")).await);
    }
    drop(
        docker
            .remove_volume(&format!("{project}_state"), None::<RemoveVolumeOptions>)
            .await,
    );
    drop(
        docker
            .remove_image(image, None::<RemoveImageOptions>, None)
            .await,
    );
}

/// The private daemon's socket. Never the host's own.
pub(crate) fn socket() -> PathBuf {
    let Some(given) = std::env::var_os("PANEL_TEST_DOCKER") else {
        panic!(
            "these tests need a Docker daemon of their own: run `make test`, or \
             `export PANEL_TEST_DOCKER=$(.setup/test-docker.sh start)` first"
        );
    };
    let given = given.to_string_lossy().into_owned();
    let path = PathBuf::from(given.strip_prefix("unix://").unwrap_or(&given));
    let hosts = [
        Path::new("/var/run/docker.sock"),
        Path::new("/run/docker.sock"),
    ];
    assert!(
        !hosts.contains(&path.as_path()),
        "PANEL_TEST_DOCKER must not be the host's own daemon"
    );
    path
}

pub(crate) async fn client() -> Docker {
    let path = socket();
    Docker::connect_with_unix(&path.to_string_lossy(), 120, API_DEFAULT_VERSION)
        .unwrap()
        .negotiate_version()
        .await
        .unwrap()
}

/// From the kernel: the panel's own sources of ids are for the panel.
pub(crate) fn unique() -> Uuid {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
    text.trim().parse().unwrap()
}

/// An image of nothing but busybox, with defaults that must not show as differences.
pub(crate) async fn import(docker: &Docker, image: &str) {
    let (repo, tag) = image.split_once(':').unwrap();
    let options = CreateImageOptions {
        from_src: Some("-".to_owned()),
        repo: Some(repo.to_owned()),
        tag: Some(tag.to_owned()),
        changes: [
            "ENV PATH=/bin BROUGHT=yes",
            "CMD [\"sleep\",\"600\"]",
            "VOLUME /anonymous",
            "LABEL maker=image",
            "EXPOSE 9999",
            "WORKDIR /bin",
        ]
        .map(str::to_owned)
        .to_vec(),
        ..CreateImageOptions::default()
    };
    let body = bollard::body_full(tar().into());
    let mut progress = docker.create_image(Some(options), Some(body), None);
    while let Some(step) = progress.next().await {
        step.unwrap();
    }
}

fn tar() -> Vec<u8> {
    let busybox = std::fs::read("/bin/busybox").expect("install busybox-static first");
    let mut tar = Vec::new();
    entry(&mut tar, "bin/", b'5', "", &[]);
    entry(&mut tar, "bin/busybox", b'0', "", &busybox);
    for name in ["sh", "sleep", "true", "echo", "cat"] {
        entry(&mut tar, &format!("bin/{name}"), b'2', "busybox", &[]);
    }
    tar.extend([0; 1024]);
    tar
}

fn entry(tar: &mut Vec<u8>, name: &str, kind: u8, link: &str, content: &[u8]) {
    let mut header = [0_u8; 512];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000755");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", content.len()));
    put(136, "00000000000");
    put(148, "        ");
    put(157, link);
    put(257, "ustar\0");
    put(263, "00");
    header[156] = kind;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend(header);
    tar.extend(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}
