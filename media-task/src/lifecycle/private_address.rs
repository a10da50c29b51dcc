//! The control API's private address, for stacks whose call-control runs in the same VPC: read from ECS's container metadata.

use super::ecs::fetch_metadata;
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

/// Returns the task's private address if `AHOY_PRIVATE_DOOR` is true, which puts the control API there; else `None`.
///
/// # Errors
/// When the setting is not a bool, or the metadata cannot be read or has no address.
pub(crate) async fn address(env: &Env) -> anyhow::Result<Option<IpAddr>> {
    if !env.parsed("AHOY_PRIVATE_DOOR", false)? {
        return Ok(None);
    }
    let uri = env.required("ECS_CONTAINER_METADATA_URI_V4")?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let container: Container =
        fetch_metadata(&client, &uri).await.context("cannot read the container's metadata")?;
    let address = container.networks.into_iter().flat_map(|network| network.ipv4_addresses).next();
    Ok(Some(address.context("the container's metadata has no private address")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn the_private_address_comes_from_ecs_metadata() {
        let body =
            r#"{"DockerId": "a", "Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": ["10.20.3.4"]}]}"#;

        assert_eq!(address_from(body).await.unwrap(), Some([10, 20, 3, 4].into()));
        assert!(address_from(r#"{"Networks": []}"#).await.is_err());
    }

    #[tokio::test]
    async fn a_public_control_api_needs_no_metadata() {
        assert_eq!(address(&Env::of(&[])).await.unwrap(), None);
    }

    async fn address_from(body: &'static str) -> anyhow::Result<Option<IpAddr>> {
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
