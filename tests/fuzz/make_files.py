#!/usr/bin/env python3
"""Makes files for the readers: make_files.py seeds FOLDER, or make_files.py hostile FOLDER.

FOLDER/READER/NAME, always the same bytes. Seeds are small good files, from which fuzzers start. Hostile ones must be refused, but for
those whose name begins with ok_, which only look hostile and must be taken.
"""
import json
import os
import pathlib
import struct
import sys
import zlib


def gz(data, level=9):
    packer = zlib.compressobj(level, zlib.DEFLATED, 31, 9)
    return packer.compress(data) + packer.flush()


def idx(kind, shape, data, zero=b"\0\0"):
    return zero + bytes([kind, len(shape)]) + b"".join(struct.pack(">I", n) for n in shape) + data


def chunk(name, data, crc=None):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) if crc is None else crc)


PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def png(rows, columns, depth=8, colour=0, data=None, extra=b"", interlace=0, end=True, channels=None):
    channels = channels or {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
    if data is None:
        line = b"\0" + bytes((i * 31) % 256 for i in range((columns * channels * depth + 7) // 8))
        data = line * rows
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, interlace))
    return PNG_MAGIC + header + extra + chunk(b"IDAT", zlib.compress(data, 9)) + (chunk(b"IEND", b"") if end else b"")


def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def cifar(labels):
    return b"".join(bytes([label]) + bytes((label + i) % 256 for i in range(3072)) for label in labels)


MODEL, STATE, BEST, NOTES = range(4)  # the files of a checkpoint
REPLACE, OVERWRITE, INSERT, ERASE, CUT, REMOVE = range(6)  # what is done to them
DROP, RENAME, COPY, OTHER, FILL = range(5)  # what is done to the tensors in them
TENSORS, SEALED, DAMAGED = 0, 128, 192


def checkpoint(run, mode, *changes):
    """A change of a checkpoint, for read_checkpoint() in checkpoints.cc."""
    return bytes([run + mode]) + b"".join(struct.pack("<BHB", what + 16 * file, place, len(data)) + data for what, file, place, data in changes)


TABLE = b"a,b,y\n1,2,no\n3,4.5,yes\n-1e-2,6,no\n7,\"8\",yes\n"


def seeds():
    yield "json", "config", b'{"a": [1, -2.5e3, true, null], "b": {"c": "\\u00e9\\n"}, "d": []}'
    yield "json", "scalar", b"12"
    yield "idx", "bytes", idx(8, [2, 2, 3], bytes(range(12)))
    yield "idx", "floats", idx(13, [3], struct.pack(">3f", 1, -2, 0.5))
    yield "idx", "packed", gz(idx(12, [2, 1], struct.pack(">2i", 7, -9)))
    yield "gzip", "text", gz(b"seventeen seagulls, seventeen seals")
    yield "gzip", "members", gz(b"one, ") + gz(b"two")
    yield "gzip", "raw", b"as it is"
    yield "csv", "quotes", b'\xef\xbb\xbfname,"a ""b"""\r\n"two\nlines", 3\r\n\r\n"",\xc3\xa9\r\n'
    yield "table", "flowers", TABLE
    yield "png", "grey", png(3, 4)
    yield "png", "rgb", png(2, 2, colour=2)
    yield "png", "palette", png(2, 3, 2, 3, extra=chunk(b"PLTE", bytes(range(12))))
    yield "png", "alpha16", png(2, 1, 16, 6)
    yield "png", "interlaced", png(1, 1, interlace=1)
    yield "text", "utf8", "plain, é, 漢, 🙂\n".encode()
    yield "safetensors", "model", safetensors({"__metadata__": {"k": "v"}, "w": entry("F32", [2, 2], 0, 16), "m": entry("BOOL", [2], 16, 18)},
                                              struct.pack("<4f", 1, 2, 3, 4) + b"\0\1")
    yield "cifar10", "one", cifar([3])
    for run in range(4):
        yield "checkpoint", f"tensors{run}", checkpoint(run, TENSORS, (RENAME, STATE, 0, b"step"), (FILL, STATE, 3, struct.pack("<d", 7)))
        yield "checkpoint", f"files{run}", checkpoint(run, SEALED, (OVERWRITE, NOTES, 0, b"{"), (INSERT, STATE, 8, b""))
    yield "checkpoint", "untouched", checkpoint(1, DAMAGED)


def hostile_json():
    deep = 100_000
    texts = {
        "empty": "", "blank": "  \n", "open_object": "{", "open_array": "[", "open_string": '"abc', "comma": "[1,]", "comma_object": '{"a":1,}',
        "comma_alone": "[,]", "colon": '{"a"}', "key_number": "{1:2}", "key_bare": "{a:1}", "single_quotes": "{'a':1}", "two_values": "1 2",
        "trailing": '{"a":1}}', "comment_line": "// x\n1", "comment_block": "/* x */1", "nan": "NaN", "infinity": "-Infinity", "hex": "0x10",
        "plus": "+1", "leading_zero": "012", "minus": "-", "point": "1.", "point_first": ".5", "exponent": "1e", "huge_double": "1e999",
        "int64": "9223372036854775808", "int64_minus": "-9223372036854775809", "long_int": "1" * 5000, "duplicate": '{"a":1,"a":2}',
        "duplicate_deep": '[{"b":{"a":1,"a":2}}]', "escape": '"\\x"', "escape_short": '"\\u12"', "surrogate": '"\\ud800"',
        "surrogate_low": '"\\udc00"', "nul_escape": '"\\u0000"', "control": '"a\nb"', "tab": '"a\tb"', "true": "True", "word": "nul",
        "deep_arrays": "[" * deep, "deep_closed": "[" * deep + "]" * deep, "deep_objects": '{"a":' * deep, "depth_65": "[" * 65 + "]" * 65,
        "closers": "]" * deep, "quotes": '"' * 9999, "backslash": '"\\',
    }
    for name, text in texts.items():
        yield name, text.encode()
    for name, data in {"bom": b"\xef\xbb\xbf1", "utf16": '{"a":1}'.encode("utf-16"), "latin1": b'"\xe9"', "overlong": b'"\xc0\xaf"', "nul": b"\0", "nul_in": b'{"a\0":1}',
                       "surrogate_bytes": b'"\xed\xa0\x80"', "beyond_unicode": b'"\xf4\x90\x80\x80"', "cut_utf8": b'"\xe6\xbc', "ff": b"\xff" * 100}.items():
        yield name, data
    yield "too_large", b" " * ((16 << 20) + 1)
    yield "ok_depth_64", b"[" * 64 + b"]" * 64
    yield "ok_many_keys", ("{" + ",".join(f'"k{i}":{i}' for i in range(100_000)) + "}").encode()
    yield "many_zeros", b"[" + b"0," * 5_000_000 + b"0]"
    yield "many_keys", ("{" + ",".join(f'"k{i}":{i}' for i in range(500_000)) + "}").encode()
    yield "ok_many_zeros", b"[" + b"0," * 200_000 + b"0]"
    yield "ok_minus_zero", b"-0"


def hostile_idx():
    good = idx(8, [2, 2, 3], bytes(12))
    yield "empty", b""
    for size in (1, 2, 3, 4, 7, 15, len(good) - 1):
        yield f"cut_{size}", good[:size]
    yield "one_more", good + b"\0"
    yield "first_byte", idx(8, [1], b"\0", b"\1\0")
    yield "second_byte", idx(8, [1], b"\0", b"\0\1")
    for kind in (0, 1, 7, 10, 15, 255):
        yield f"type_{kind}", idx(kind, [1], b"\0" * 8)
    yield "rank_0", idx(8, [], b"")
    yield "rank_9", idx(8, [1] * 9, b"\0")
    yield "rank_255", idx(8, [1] * 255, b"\0")
    yield "rank_255_cut", bytes([0, 0, 8, 255])
    yield "overflow_64", idx(14, [0x80000000, 0x80000000, 4], b"")
    yield "overflow_wraps", idx(8, [0xFFFFFFFF] * 8, b"\0" * 64)
    yield "overflow_to_one", idx(8, [4194305, 4194305, 0xC4000], b"\0")
    yield "four_gib", idx(8, [0xFFFFFFFF], b"\0" * 100)
    yield "doubles_cut", idx(14, [3], b"\0" * 23)
    yield "bomb", gz(idx(8, [100], bytes(64 << 20)))
    yield "packed_promise", gz(idx(8, [1 << 31], b"\0" * 1000))
    yield "packed_cut", gz(good)[:-5]
    yield "packed_one_more", gz(good + b"\0")
    yield "ok_no_elements", idx(8, [0, 28, 28], b"")
    yield "ok_no_elements_large", idx(8, [0xFFFFFFFF, 0], b"")
    yield "ok_packed_twice_members", gz(good[:9]) + gz(good[9:])


def hostile_gzip():
    content = b"the contents of a file, the contents" * 20
    whole = gz(content)
    for size in (2, 3, 9, 10, 11, 18, len(whole) - 8, len(whole) - 4, len(whole) - 1):
        yield f"cut_{size}", whole[:size]
    yield "bad_crc", whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    yield "bad_size", whole[:-4] + struct.pack("<I", len(content) + 1)
    yield "garbage_behind", whole + b"garbage"
    yield "zeros_behind", whole + bytes(512)
    yield "second_cut", whole + whole[:12]
    yield "second_magic", whole + b"\x1f"
    yield "method", whole[:2] + b"\7" + whole[3:]
    yield "reserved_flags", whole[:3] + b"\xe0" + whole[4:]
    yield "name_without_end", whole[:3] + b"\x08" + whole[4:10] + b"a" * 100_000
    yield "extra_beyond", whole[:3] + b"\x04" + whole[4:10] + b"\xff\xff" + b"a" * 10
    yield "block_type_3", whole[:10] + b"\x07" + bytes(20)
    yield "stored_length", whole[:10] + b"\x01\x05\x00\x05\x00" + bytes(20)
    yield "distance", whole[:10] + bytes([0x4B, 0x04, 0x42, 0x00]) + bytes(8)
    yield "bomb", gz(bytes(256 << 20))
    yield "bomb_of_members", gz(bytes(1 << 19)) * 100
    yield "raw_too_large", bytes((1 << 20) + 1)
    yield "ok_at_the_cap", gz(bytes(1 << 20))
    yield "ok_empty_member", gz(b"")
    yield "ok_empty_members", gz(b"") * 20_000
    yield "ok_nothing", b""


def hostile_csv():
    for name, data in {
        "open_quote": b'a,"b\n1,2\n', "open_quote_long": b'a\n"' + b"x\n" * 700_000, "quote_within": b'a,b"c"\n', "behind_quote": b'"a"b,c\n',
        "carriage_return": b"a\rb\r", "nul": b"a,b\n1,\0\n", "nuls": bytes(1000), "latin1": b"a,\xe9\n", "utf16": "a,b\n1,2\n".encode("utf-16"),
        "overlong": b"a,\xc0\x80\n", "cut_utf8": b"a,\xe6\xbc\n", "bom_twice_cut": b"\xef\xbb\xbf\xef\xbb", "long_line": b"a\n" + b"x" * (8 << 20),
        "long_quoted": b'"' + b"x" * (8 << 20) + b'"', "many_fields": b"," * 2_000_000, "gzip": gz(TABLE), "png": png(3, 3), "quote_at_end": b'a,b\n"',
    }.items():
        yield name, data
    yield "ok_empty", b""
    yield "ok_blank_lines", b"\r\n" * 1_000_000
    yield "ok_many_records", b"1,2,3\n" * 300_000
    yield "ok_escapes", b"\x1b[31m,\x07\n"
    yield "ok_long_record", b'"' + b'""' * 500_000 + b'"\n'


def hostile_table():
    for name, data in {
        "empty": b"", "header_only": b"a,b,y\n", "no_label": b"a,b\n1,2\n", "ragged_short": b"a,y\n1,p\n2\n", "ragged_long": b"a,y\n1,p\n2,q,3\n",
        "twice": b"a,a,y\n1,2,p\n", "no_name": b"a,,y\n1,2,p\n", "one_class": b"a,y\n1,p\n2,p\n", "one_row": b"a,y\n1,p\n", "label_alone": b"y\np\nq\n",
        "text": b"a,y\nx,p\n2,q\n", "nan": b"a,y\n-nan,p\n2,q\n", "inf": b"a,y\ninf,p\n2,q\n", "infinity": b"a,y\nInfinity,p\n2,q\n", "huge": b"a,y\n1e400,p\n2,q\n",
        "beyond_float": b"a,y\n1e39,p\n2,q\n", "comma": b'a,y\n"1,5",p\n2,q\n', "hex": b"a,y\n0x1F,p\n2,q\n", "plus_minus": b"a,y\n+-1,p\n2,q\n",
        "long_number": b"a,y\n" + b"1" * 500_000 + b",p\n2,q\n", "no_value": b"a,y\n,p\n,q\n", "missing_label": b"a,y\n1,\n2,q\n",
        "arabic_digits": "a,y\n١,p\n2,q\n".encode(), "blank_in_number": b"a,y\n1 2,p\n2,q\n", "semicolons": b"a;y\n1;p\n2;q\n",
    }.items():
        yield name, data
    yield "too_many_classes", b"a,y\n" + b"".join(b"1,c%d\n" % i for i in range(10_002))
    yield "ok_wide", b",".join(b"c%d" % i for i in range(5000)) + b",y\n" + (b"1," * 5000 + b"p\n" + b"2," * 5000 + b"q\n") * 10
    yield "ok_constant", b"a,y\n" + b"1,p\n1,q\n" * 1000
    yield "ok_large", b"a,y\n" + b"1,p\n2,q\n" * 400_000
    yield "ok_extremes", b"a,y\n" + b"3e38,p\n-3e38,q\n" * 10


def hostile_png():
    good = png(3, 4)
    yield "empty", b""
    for size in (4, 8, 12, 20, 30, 33, 40, len(good) - 14, len(good) - 20):
        yield f"cut_{size}", good[:size]
    yield "magic", b"\x88" + good[1:]
    yield "text_mode", good.replace(b"\r\n", b"\n")
    yield "jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(100)
    for name, rows, columns in (("zero_rows", 0, 1), ("zero_columns", 1, 0), ("huge", 0x7FFFFFFF, 0x7FFFFFFF), ("negative", 0x80000000, 1), ("wide", 1, 0x7FFFFFFF),
                                ("million", 1_000_000, 1_000_000), ("large", 5000, 5000), ("bomb", 4096, 4097)):
        yield name, png(rows, columns, data=bytes(100))
    yield "bomb_of_zeros", png(30_000, 30_000, 1, data=bytes(3751 * 30_000))
    yield "too_few_lines", png(100, 100, data=bytes(101 * 99))
    yield "bad_deflate", PNG_MAGIC + good[8:33] + chunk(b"IDAT", b"\x78\x9c" + b"\xff" * 30) + chunk(b"IEND", b"")
    yield "bad_crc_header", good[:29] + b"\0\0\0\0" + good[33:]
    yield "bad_crc_data", PNG_MAGIC + good[8:33] + chunk(b"IDAT", zlib.compress(bytes(15)), crc=1) + chunk(b"IEND", b"")
    yield "filter_5", png(1, 1, data=b"\5\0")
    yield "no_data", PNG_MAGIC + good[8:33] + chunk(b"IEND", b"")
    yield "no_header", PNG_MAGIC + good[33:]
    yield "palette_missing", png(2, 2, 8, 3)
    yield "palette_large", png(2, 2, 8, 3, extra=chunk(b"PLTE", bytes(3 * 300)))
    yield "palette_broken", png(2, 2, 8, 3, extra=chunk(b"PLTE", bytes(4)))
    yield "depth_3", png(2, 2, 3, 0)
    yield "depth_16_palette", png(2, 2, 16, 3, extra=chunk(b"PLTE", bytes(3)))
    yield "colour_1", png(2, 2, 8, 1)
    yield "colour_7", png(2, 2, 8, 7)
    yield "interlace_2", png(2, 2, interlace=2)
    yield "chunk_length", PNG_MAGIC + good[8:33] + struct.pack(">I", 0x7FFFFFFF) + b"IDAT" + bytes(100)
    yield "critical_unknown", png(2, 2, extra=chunk(b"ABCD", bytes(10)))
    yield "ok_text_bomb", png(2, 2, extra=chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(50 << 20), 9)))
    yield "ok_profile_bomb", png(2, 2, extra=chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(50 << 20), 9)))
    yield "ok_many_chunks", png(2, 2, extra=chunk(b"tEXt", b"k\0v") * 20_000)
    yield "ok_line", png(1, 100_000)
    yield "ok_interlaced", png(1, 1, interlace=1)


def hostile_text():
    for name, data in {"latin1": b"caf\xe9", "cut": b"\xe6\xbc", "continuation": b"\x80", "overlong_2": b"\xc0\xaf", "overlong_3": b"\xe0\x80\xaf", "overlong_4": b"\xf0\x80\x80\xaf",
                       "surrogate": b"\xed\xa0\x80", "beyond": b"\xf4\x90\x80\x80", "five_bytes": b"\xf8\x88\x80\x80\x80", "utf16": "text".encode("utf-16"),
                       "ff": b"\xff" * 1000, "late": b"a" * 1_000_000 + b"\xff"}.items():
        yield name, data
    yield "ok_empty", b""
    yield "ok_nul", b"a\0b"
    yield "ok_escapes", b"\x1b[2J"
    yield "ok_every_character", "".join(chr(c) for c in range(0x20, 0x3000)).encode()


def hostile_safetensors():
    def file(entries, data=b""):
        return safetensors(entries, data)

    f32 = entry("F32", [1], 0, 4)
    yield "empty", b""
    yield "seven_bytes", bytes(7)
    yield "length_beyond", safetensors(b"{}", length=3)
    yield "length_huge", safetensors(b"{}", length=(1 << 64) - 1)
    yield "length_wraps", safetensors(b"{}", length=(1 << 64) - 8)
    yield "length_limit", struct.pack("<Q", 100_000_001) + b"{}"
    yield "length_cuts", safetensors(b'{"a":1}', length=3)
    for name, header in {"not_json": b"abc", "array": b"[]", "null": b"null", "nothing": b"", "invalid_utf8": b'{"\xff":1}', "nan": b'{"a":NaN}', "deep": b"[" * 100_000,
                         "duplicate": b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'}.items():
        yield f"header_{name}", safetensors(header, bytes(4))
    for name, value in {
        "number": 1, "no_dtype": {"shape": [1], "data_offsets": [0, 4]}, "no_shape": {"dtype": "F32", "data_offsets": [0, 4]}, "no_offsets": {"dtype": "F32", "shape": [1]},
        "more_keys": {**f32, "x": 1}, "dtype_unknown": entry("F33", [1], 0, 4), "dtype_number": entry(1, [1], 0, 4), "shape_object": entry("F32", {}, 0, 4),
        "shape_negative": entry("F32", [-1], 0, 4), "shape_float": entry("F32", [1.0], 0, 4), "shape_text": entry("F32", ["1"], 0, 4), "offsets_three": {**f32, "data_offsets": [0, 4, 4]},
        "offsets_one": {**f32, "data_offsets": [4]}, "offsets_swapped": entry("F32", [1], 4, 0), "offsets_negative": entry("F32", [1], -4, 0), "offsets_float": entry("F32", [1], 0.0, 4.0),
        "beyond": entry("F32", [2], 0, 8), "far_beyond": entry("F32", [1], 1 << 62, (1 << 62) + 4), "size_small": entry("F32", [1], 0, 2), "size_large": entry("F32", [0], 0, 4),
        "shape_overflow": entry("F32", [4194305, 4194305, 211106198978564], 0, 4), "shape_overflow_bytes": entry("F64", [1 << 61], 0, 0), "shape_max": entry("BOOL", [(1 << 63) - 1], 0, 4),
        "shape_zero_times_overflow": entry("F32", [1 << 40, 1 << 40, 0], 0, 4),
    }.items():
        yield f"entry_{name}", file({"a": value}, bytes(4))
    yield "hole", file({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 8, 12)}, bytes(12))
    yield "hole_first", file({"a": entry("F32", [1], 4, 8)}, bytes(8))
    yield "overlap", file({"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 4, 12)}, bytes(12))
    yield "overlap_bomb", file({f"t{i}": entry("F32", [250_000], 0, 1_000_000) for i in range(1000)}, bytes(1_000_000))
    yield "trailing", file({"a": f32}, bytes(5))
    yield "trailing_only", file({}, bytes(1))
    yield "bool_2", file({"a": entry("BOOL", [2], 0, 2)}, b"\1\2")
    yield "metadata_list", file({"__metadata__": []})
    yield "metadata_number", file({"__metadata__": {"a": 1}})
    yield "ok_no_tensors", file({})
    yield "ok_scalar", file({"a": entry("F32", [], 0, 4)}, bytes(4))
    yield "ok_no_elements", file({"a": entry("F32", [0, 3], 0, 0), "b": entry("F32", [1], 0, 4)}, bytes(4))
    yield "ok_not_finite", file({"a": entry("F32", [2], 0, 8)}, struct.pack("<2f", float("nan"), float("inf")))
    yield "ok_padding", safetensors(b"{}" + b" " * 1000)
    yield "ok_many", file({f"t{i}": entry("BOOL", [0], 0, 0) for i in range(20_000)})


def hostile_cifar10():
    yield "empty", b""
    for size in (1, 3072, 3074, 6145):
        yield f"cut_{size}", cifar([1, 2, 3])[:size]
    yield "label_10", cifar([1, 10])
    yield "label_255", cifar([255])
    yield "packed_bomb", gz(b"\x0b" + bytes(64 << 20))
    yield "packed_cut", gz(cifar([1]))[:-2]
    yield "png", png(32, 32)
    yield "ok_packed", gz(cifar([1, 2]))


def hostile_checkpoint():
    for run in range(4):
        yield f"no_weight_{run}", checkpoint(run, TENSORS, (DROP, MODEL, 0, b""))
        yield f"other_weight_{run}", checkpoint(run, TENSORS, (OTHER, MODEL, 0, b"\x01"))
        yield f"weight_twice_{run}", checkpoint(run, TENSORS, (COPY, MODEL, 0, b"weight"))
        yield f"more_{run}", checkpoint(run, TENSORS, (COPY, STATE, 0, b"more"))
        yield f"negative_step_{run}", checkpoint(run, TENSORS, (FILL, STATE, 0, b"\xff" * 8))
        yield f"step_without_end_{run}", checkpoint(run, TENSORS, (FILL, STATE, 0, b"\xff" * 7 + b"\x7f"))
        yield f"nothing_{run}", checkpoint(run, TENSORS, *[(DROP, STATE, 0, b"")] * 255)
    for place in range(30):
        yield f"cube_{place}", checkpoint(1, TENSORS, (OTHER, STATE, place, b"\x0a\1\1\1"))
    for file, name in enumerate(("model", "state", "best", "notes")):
        yield f"flipped_{name}", checkpoint(1, DAMAGED, (OVERWRITE, file, 20, b"\0"))
        yield f"cut_{name}", checkpoint(1, SEALED, (CUT, file, 20, b""))
        yield f"empty_{name}", checkpoint(1, SEALED, (REPLACE, file, 0, b""))
        yield f"json_{name}", checkpoint(1, SEALED, (REPLACE, file, 0, b"{}"))
        yield f"deep_{name}", checkpoint(1, SEALED, (REPLACE, file, 0, struct.pack("<Q", 200) + b"[" * 200))
        yield f"no_{name}", checkpoint(1, DAMAGED, (REMOVE, file, 0, b""))
    yield "no_checksum", checkpoint(1, DAMAGED, (REPLACE, NOTES, 0, b'{"format": 1}\n'))
    yield "notes_cut_long", checkpoint(1, DAMAGED, (CUT, NOTES, 200, b""))
    yield "too_large", bytes((1 << 16) + 1)
    yield "ok_empty", b""
    yield "ok_long_training", checkpoint(2, TENSORS, (FILL, STATE, 3, struct.pack("<d", 1e9)))


def hostile():
    for name, make in sorted(globals().items()):
        if name.startswith("hostile_"):
            for file, data in make():
                yield name.removeprefix("hostile_"), file, data


def write(files, folder):
    count = 0
    for reader, name, data in files:
        path = pathlib.Path(folder, reader, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        count += 1
    return count


def write_special(folder):
    """What is not a regular file; each must be refused by every reader."""
    folder = pathlib.Path(folder)
    (folder / "folder").mkdir()
    os.mkfifo(folder / "fifo")
    os.symlink("loop", folder / "loop")
    os.symlink("nothing", folder / "dangling")
    os.symlink("/dev/zero", folder / "device")
    return [folder / name for name in ("folder", "fifo", "loop", "dangling", "device", "missing")]


if __name__ == "__main__":
    kinds = {"seeds": seeds, "hostile": hostile}
    if len(sys.argv) != 3 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    print(write(kinds[sys.argv[1]](), sys.argv[2]), "files")
