//! Where the door is when only this VPC is to reach it: at the task's private address, which ECS knows.

use crate::ecs::told;
use anyhow::Context;
use serde::Deserialize;
use service::env::Env;
use std::net::IpAddr;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    networks: Vec<Network>,
}

#[derive(Debug, Deserialize)]
struct Network {
    #[serde(rename = "IPv4Addresses", default)]
    ipv4_addresses: Vec<IpAddr>,
}

/// The address at which the lease offers the door, if `AHOY_PRIVATE_DOOR` is true: call-control is in this VPC then.
///
/// # Errors
/// When the setting cannot be read, or ECS does not say.
pub async fn address(env: &Env) -> anyhow::Result<Option<IpAddr>> {
    if !env.parsed("AHOY_PRIVATE_DOOR", false)? {
        return Ok(None);
    }
    let uri = env.required("ECS_CONTAINER_METADATA_URI_V4")?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let container: Container = told(&client, &uri).await.context("the container's metadata")?;
    let address = container.networks.into_iter().flat_map(|network| network.ipv4_addresses).next();
    Ok(Some(address.context("ECS says that this task has no private address")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn the_private_address_is_the_one_that_ecs_tells() {
        let body =
            r#"{"DockerId": "a", "Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": ["10.20.3.4"]}]}"#;

        assert_eq!(told(body).await.unwrap(), Some([10, 20, 3, 4].into()));
        assert!(told(r#"{"Networks": []}"#).await.is_err());
    }

    #[tokio::test]
    async fn a_door_that_is_not_private_asks_nobody() {
        assert_eq!(address(&Env::of(&[])).await.unwrap(), None);
    }

    async fn told(body: &'static str) -> anyhow::Result<Option<IpAddr>> {
        let ecs = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/v4/a", ecs.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut asked, _) = ecs.accept().await.unwrap();
            let _ = asked.read(&mut [0; 1024]).await;
            let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            asked.write_all(reply.as_bytes()).await.unwrap();
        });
        address(&Env::of(&[("AHOY_PRIVATE_DOOR", "true"), ("ECS_CONTAINER_METADATA_URI_V4", &uri)])).await
    }
}
