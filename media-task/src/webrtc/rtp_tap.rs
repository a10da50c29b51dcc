//! An interceptor that takes the caller's RTP and RTCP packets out of the stack as soon as they are decrypted.
//!
//! Further up, the stack drops packets it does not expect: a new SSRC, which a phone that changes networks may begin, and every
//! RTCP report of the far side.

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

/// The interceptor; the packets it takes come out of the receiver that [`RtpTap::new`] returns.
pub(super) struct RtpTap {
    taken: Sender<Packet>,
    outgoing: VecDeque<TaggedPacket>,
}

impl RtpTap {
    pub(super) fn new() -> (Self, Receiver<Packet>) {
        let (taken, packets) = channel();
        (Self { taken, outgoing: VecDeque::new() }, packets)
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for RtpTap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        // The receiver is gone once the call is over.
        let _ = self.taken.send(packet.message.packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        None
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.outgoing.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outgoing.pop_front()
    }

    fn handle_timeout(&mut self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }
}

impl Interceptor for RtpTap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}

    fn unbind_local_stream(&mut self, _: &StreamInfo) {}

    fn bind_remote_stream(&mut self, _: &StreamInfo) {}

    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
