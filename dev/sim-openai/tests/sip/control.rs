//! Calls that are placed by HTTP.

use super::*;
use sim_openai::sip::CarrierEventKind;

#[tokio::test]
async fn a_call_may_be_placed_by_hand() {
    let mut client = Client::start(quick()).await;
    let place = |body: Value| client.http.post(format!("{}/sim/sip/calls", base(&client))).json(&body).send();

    let placed = place(json!({
        "from": CALLER, "dialled": DIALLED, "headers": [["X-Ahoy-Key", "a key"]], "script": ["say caller-mhm", "hang-up"],
    }));
    let placed: Value = placed.await.unwrap().json().await.unwrap();
    let refused = place(json!({"from": CALLER, "dialled": DIALLED, "script": ["cough"]})).await.unwrap();

    assert_eq!(refused.status(), 400);
    assert_eq!(client.webhook.next().await.event()["data"]["call_id"], placed["call_id"]);
    let call = client.trunk.calls().remove(0);
    client.ask(&call, "accept", session()).await;
    assert!(matches!(call.over(PATIENCE).await.unwrap().kind, CarrierEventKind::Bye(_)));
    let url = format!("{}/sim/sip/calls/{}", base(&client), call.id());
    let report: Value = client.http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!((&report["over"], &report["requests"][0]["status"]), (&json!(true), &json!(200)));
    assert_eq!(report["carrier"][1]["event"], "Answered");
}

fn base(client: &Client) -> String {
    client.realtime.rest_url().trim_end_matches("/v1").to_owned()
}
