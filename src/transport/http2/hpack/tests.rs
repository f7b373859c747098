//! Tests of HPACK: the examples of RFC 7541 appendix C, limits, and blocks that must be refused.

use super::{
    HpackError,
    decoder::Decoder,
    dynamic_table::{DynamicTable, SIZE_MAX},
    encoder::{write_field, write_status},
    huffman,
};

type Fields = Vec<(String, String)>;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<Fields, HpackError> {
    let mut fields = Vec::new();
    let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    decoder.decode(block, |name, value| fields.push((text(name), text(value))))?;
    Ok(fields)
}

/// Each block's fields, one a line.
fn check(blocks: &[(&str, &str)]) {
    let mut decoder = Decoder::default();
    for (hex, expected) in blocks {
        let fields = decode(&mut decoder, &bytes(hex)).unwrap();
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, expected, "{hex}");
    }
}

#[test]
fn appendix_c_2_single_fields() {
    check(&[
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header"),
        ("040c2f73616d706c652f70617468", ":path: /sample/path"),
        ("100870617373776f726406736563726574", "password: secret"),
        ("82", ":method: GET"),
        // Of these only the first is in the table.
        ("be", "custom-key: custom-header"),
    ]);
}

const FIRST: &str = ":method: GET
    :scheme: http
    :path: /
    :authority: www.example.com";
const SECOND: &str = ":method: GET
    :scheme: http
    :path: /
    :authority: www.example.com
    cache-control: no-cache";
const THIRD: &str = ":method: GET
    :scheme: https
    :path: /index.html
    :authority: www.example.com
    custom-key: custom-value";

#[test]
fn appendix_c_3_requests_without_huffman_code() {
    check(&[
        ("828684410f7777772e6578616d706c652e636f6d", FIRST),
        ("828684be58086e6f2d6361636865", SECOND),
        ("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", THIRD),
    ]);
}

#[test]
fn appendix_c_4_requests_with_huffman_code() {
    check(&[
        ("828684418cf1e3c2e5f23a6ba0ab90f4ff", FIRST),
        ("828684be5886a8eb10649cbf", SECOND),
        ("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", THIRD),
    ]);
}

const RESPONSES: [&str; 3] = [
    ":status: 302
    cache-control: private
    date: Mon, 21 Oct 2013 20:13:21 GMT
    location: https://www.example.com",
    ":status: 307
    cache-control: private
    date: Mon, 21 Oct 2013 20:13:21 GMT
    location: https://www.example.com",
    ":status: 200
    cache-control: private
    date: Mon, 21 Oct 2013 20:13:22 GMT
    location: https://www.example.com
    content-encoding: gzip
    set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
];

/// In a table of 256 bytes, which the first block sets, so that entries are evicted.
#[test]
fn appendix_c_5_responses_without_huffman_code() {
    check(&[
        (
            "3fe101 4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54
            6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
            RESPONSES[0],
        ),
        ("4803333037c1c0bf", RESPONSES[1]),
        (
            "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b42
            5a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
            RESPONSES[2],
        ),
    ]);
}

#[test]
fn appendix_c_6_responses_with_huffman_code() {
    check(&[
        (
            "3fe101 488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff
            6e919d29ad171863c78f0b97c8e9ae82ae43d3",
            RESPONSES[0],
        ),
        ("4883640effc1c0bf", RESPONSES[1]),
        (
            "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f
            3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
            RESPONSES[2],
        ),
        // Three entries are left: the table was 215 bytes full.
        (
            "bebfc0",
            "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1
            content-encoding: gzip
            date: Mon, 21 Oct 2013 20:13:22 GMT",
        ),
    ]);
}

#[test]
fn invalid_blocks_are_refused() {
    for (name, hex) in [
        ("index 0", "80"),
        ("the index of no entry", "be"),
        ("the index of no name", "7e0161"),
        ("an index that ends early", "ff"),
        ("an index of five bytes", "ff8080808001"),
        ("an index beyond all limits", "ffffffffff7f"),
        ("no value", "400161"),
        ("no name", "40"),
        ("a string that ends early", "00016105 61626364"),
        ("a size that is too large", "3fe21f"),
        ("a size after a field", "8220"),
        ("a size that ends early", "3f"),
        ("padding of eight bits", "0082 94e7 84 4950 9fff"),
        ("padding with zeros", "0085f2b24a84ff 83 495090"),
        ("EOS", "0085f2b24a84ff 87 4951fffffffa7f"),
        ("EOS alone", "000161 84 ffffffff"),
        ("a byte of padding alone", "000161 81ff"),
        ("a code that is cut off", "000161 82 ffff"),
    ] {
        assert_eq!(decode(&mut Decoder::default(), &bytes(hex)), Err(HpackError), "{name}");
    }
    // Just within the limits.
    for valid in ["", "3fe11f82", "2020", "20 3fe11f 82", "00016100", "00016180", "00016181 07", "bd", "0f0e00"] {
        assert!(decode(&mut Decoder::default(), &bytes(valid)).is_ok(), "{valid}");
    }
}

#[test]
fn every_symbol_has_its_code() {
    // The first and the last code of each length, as RFC 7541 appendix B has them, padded with ones.
    let codes: [(&str, u8); 42] = [
        ("07", 48),
        ("4f", 116),
        ("53", 32),
        ("b7", 117),
        ("b9", 58),
        ("f7", 122),
        ("f8", 38),
        ("fd", 90),
        ("fe3f", 33),
        ("ff3f", 63),
        ("ff5f", 39),
        ("ff9f", 124),
        ("ffaf", 35),
        ("ffbf", 62),
        ("ffc7", 0),
        ("ffef", 126),
        ("fff3", 94),
        ("fff7", 125),
        ("fff9", 60),
        ("fffd", 123),
        ("fffe1f", 92),
        ("fffe5f", 208),
        ("fffe6f", 128),
        ("fffedf", 226),
        ("fffee7", 153),
        ("ffff47", 230),
        ("ffff4b", 129),
        ("ffffaf", 233),
        ("ffffb1", 1),
        ("ffffe9", 239),
        ("ffffea", 9),
        ("fffff5", 237),
        ("fffff67f", 199),
        ("fffff7ff", 235),
        ("fffff83f", 192),
        ("fffffbbf", 255),
        ("fffffbdf", 203),
        ("fffffe1f", 254),
        ("fffffe2f", 2),
        ("ffffffef", 249),
        ("fffffff3", 10),
        ("fffffffb", 22),
    ];
    for (hex, symbol) in codes {
        let mut decoded = Vec::new();
        assert_eq!((huffman::decode(&bytes(hex), &mut decoded), &decoded[..]), (Ok(()), &[symbol][..]), "{hex}");
    }
    // Every way to begin: no panic, and what is accepted is not longer than codes of 5 bits would be.
    for start in 0..=u16::MAX {
        let mut decoded = Vec::new();
        let _ = huffman::decode(&[&start.to_be_bytes()[..], &[0x5f; 6]].concat(), &mut decoded);
        assert!(decoded.len() <= 8 * 8 / 5);
    }
}

/// After a block that decodes, the table must be the client's, whatever was in it.
#[test]
fn entries_are_evicted_oldest_first() {
    let mut table = DynamicTable::default();
    let mut model: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut max_size = SIZE_MAX;
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..50_000 {
        if random.u8(..) == 0 {
            max_size = random.usize(..=SIZE_MAX);
            table.set_max_size(max_size);
        } else {
            let long = if random.u8(..) < 4 { 5000 } else { 100 };
            let name = vec![random.u8(..); random.usize(..long / 4)];
            let value = vec![random.u8(..); random.usize(..long)];
            table.insert(&name, &value);
            model.insert(0, (name, value));
        }
        let size_of = |entry: &(Vec<u8>, Vec<u8>)| entry.0.len() + entry.1.len() + 32;
        // An entry that does not fit empties the table, itself included.
        while model.iter().map(size_of).sum::<usize>() > max_size {
            model.pop();
        }
        let expected = |index: usize| model.get(index).map(|(name, value)| (&name[..], &value[..]));
        let index = random.usize(..=model.len());
        assert_eq!(table.get(index), expected(index), "{round}");
        assert_eq!((table.get(model.len()), table.get(0)), (None, expected(0)), "{round}");
    }
}

#[test]
fn responses_are_encoded_with_the_static_table() {
    let mut block = Vec::new();
    for status in [200, 206, 500, 201, 431] {
        write_status(status, &mut block);
    }
    assert_eq!(block, bytes("888a8e 0803323031 0803343331"));
    block.clear();
    write_field("content-length", b"12", &mut block);
    write_field("www-authenticate", b"Bearer", &mut block);
    write_field("x-a", &[b'x'; 200], &mut block);
    let mut decoder = Decoder::default();
    let fields = decode(&mut decoder, &block).unwrap();
    assert_eq!(block[..2], [0x0f, 28 - 15]);
    assert_eq!(fields[0], ("content-length".into(), "12".into()));
    assert_eq!(fields[1], ("www-authenticate".into(), "Bearer".into()));
    assert_eq!(fields[2], ("x-a".into(), "x".repeat(200)));
}

#[test]
fn random_blocks_do_no_harm() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut decoder = Decoder::default();
    let mut accepted = 0;
    for _ in 0..200_000 {
        let block: Vec<u8> = (0..random.usize(..40)).map(|_| random.u8(..)).collect();
        match decode(&mut decoder, &block) {
            Ok(_) => accepted += 1,
            Err(HpackError) => decoder = Decoder::default(),
        }
    }
    assert!(accepted > 5_000, "{accepted}");
}
