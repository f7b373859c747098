//! SETTINGS of the client (RFC 9113 section 6.5).

use crate::transport::http2::{
    connection::{Output, ServerConnection},
    frames::{
        self, ACK, ConnectionError, ENABLE_PUSH, ErrorCode, FrameHeader, HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE,
        MAX_FRAME_SIZE, PAYLOAD_MAX, SETTINGS,
    },
};

/// The size of a client's HPACK table at first (section 6.5.2).
const TABLE_BYTES: u32 = 4096;

impl ServerConnection {
    pub(super) fn receive_settings(
        &mut self,
        frame: FrameHeader,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<(), ConnectionError> {
        for setting in payload.as_chunks::<6>().0 {
            let [high, low, value @ ..] = *setting;
            let value = u32::from_be_bytes(value);
            match u16::from_be_bytes([high, low]) {
                HEADER_TABLE_SIZE if value < TABLE_BYTES => self.owes_size_update = true,
                ENABLE_PUSH if value > 1 => return Err(ConnectionError::protocol("ENABLE_PUSH is not 0 or 1")),
                INITIAL_WINDOW_SIZE => self.set_initial_window(value, out)?,
                // Frames that we send have the length that is always allowed.
                MAX_FRAME_SIZE if !(PAYLOAD_MAX as u32..1 << 24).contains(&value) => {
                    return Err(ConnectionError::protocol("MAX_FRAME_SIZE is not allowed"));
                }
                _ => {}
            }
        }
        if !frame.has(ACK) {
            frames::write_frame(SETTINGS, ACK, 0, &[], out.bytes);
        }
        Ok(())
    }

    /// Changes the windows of all streams (section 6.9.2).
    fn set_initial_window(&mut self, value: u32, out: &mut Output<'_>) -> Result<(), ConnectionError> {
        let error = || ConnectionError::new(ErrorCode::FlowControl, "INITIAL_WINDOW_SIZE exceeds 31 bits");
        let value = i32::try_from(value).map_err(|_| error())?;
        // Neither is negative.
        let change = value - std::mem::replace(&mut self.initial_window, value);
        if !self.streams.iter_mut().all(|stream| stream.send_window.change(change)) {
            return Err(error());
        }
        self.unblock(out);
        Ok(())
    }
}
