// SPDX-License-Identifier: BSD-3-Clause
//
// Runs the parts of app/ that need no hardware: one job a line on stdin, one answer a line on
// stdout. Bytes travel as hex.
#include <app/crc32.h>
#include <app/frame.h>
#include <app/line_parser.h>
#include <app/results.h>
#include <app/text_writer.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace mcugen;

std::string g_sent;

std::vector<uint8_t> from_hex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string to_hex(const uint8_t* data, size_t size) {
  std::string hex;
  for (size_t i = 0; i < size; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", data[i]);
    hex += digits;
  }
  return hex;
}

void collect(void*, char character) { g_sent += character; }

std::string crc(const std::vector<uint8_t>& data) {
  // In two parts, so that going on from a CRC is covered too; from every place in a word.
  const size_t half = data.size() / 2;
  std::string answer;
  for (size_t place = 0; place < 4; ++place) {
    std::vector<uint8_t> moved(place);
    moved.insert(moved.end(), data.begin(), data.end());
    const uint8_t* start = moved.data() + place;
    const uint32_t whole = crc32(start + half, data.size() - half, crc32(start, half));
    const std::string text = std::to_string(whole);
    if (place != 0 && text != answer) {
      return "differs at place " + std::to_string(place);
    }
    answer = text;
  }
  return answer;
}

std::string encode(std::vector<uint8_t> data) {
  const size_t size = data.size();
  data.resize(size + kFrameCrcBytes);
  g_sent.clear();
  frame_send(data.data(), size, [](uint8_t byte) { g_sent += static_cast<char>(byte); });
  return to_hex(reinterpret_cast<const uint8_t*>(g_sent.data()), g_sent.size());
}

// The stream as the server sees it, after the opening 0x00.
std::string decode(const std::vector<uint8_t>& stream) {
  // On the heap: ASan then sees one byte too many.
  std::vector<FrameDecoder> decoder(1);
  decoder[0].start();
  std::string answer;
  for (uint8_t byte : stream) {
    switch (decoder[0].feed(byte)) {
      case FrameDecoder::Event::kNone:
        continue;
      case FrameDecoder::Event::kFrame:
        answer += "frame:" + to_hex(decoder[0].data(), kFrameHeaderBytes + decoder[0].body_bytes());
        break;
      case FrameDecoder::Event::kBadCobs:
        answer += "bad_cobs";
        break;
      case FrameDecoder::Event::kBadCrc:
        answer += "bad_crc";
        break;
      case FrameDecoder::Event::kTooLong:
        answer += "too_long";
        break;
    }
    answer += ' ';
    decoder[0].start();
  }
  return answer;
}

std::string parse_lines(const std::vector<uint8_t>& stream) {
  std::vector<LineParser> parser(1);
  std::string answer;
  for (uint8_t byte : stream) {
    switch (parser[0].feed(byte)) {
      case LineParser::Event::kNone:
        continue;
      case LineParser::Event::kCommand: {
        char* tokens[4];
        const size_t count = split_tokens(parser[0].command(), tokens, 4);
        for (size_t i = 0; i < count; ++i) {
          answer += std::string("(") + tokens[i] + ")";
        }
        break;
      }
      case LineParser::Event::kTooLong:
        answer += "too_long";
        break;
      case LineParser::Event::kBadByte:
        answer += "bad_byte";
        break;
    }
    answer += ' ';
  }
  return answer;
}

std::string number(const std::string& token) {
  int32_t value = 0;
  return parse_decimal(token.c_str(), &value) ? std::to_string(value) : "no";
}

float to_float(const std::vector<uint8_t>& bytes) {
  float value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

std::string fixed(const std::vector<uint8_t>& bytes) {
  g_sent.clear();
  TextWriter writer(collect, nullptr);
  writer.fixed3(to_float(bytes));
  return g_sent;
}

std::string results(std::vector<uint8_t> bytes, int8_t dtype) {
  g_sent.clear();
  TextWriter writer(collect, nullptr);
  results_write(writer, {bytes.data(), bytes.size(), dtype});
  return g_sent;
}

std::string json(const std::vector<uint8_t>& bytes) {
  g_sent.clear();
  TextWriter writer(collect, nullptr);
  const std::string text(bytes.begin(), bytes.end());
  writer.json_string(text.c_str());
  return g_sent;
}

std::string decimal(const std::string& token) {
  g_sent.clear();
  TextWriter writer(collect, nullptr);
  writer.decimal(std::strtoull(token.c_str(), nullptr, 10));
  return g_sent;
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const size_t space = line.find(' ');
    const std::string job = line.substr(0, space);
    const std::string argument = space == std::string::npos ? "" : line.substr(space + 1);
    std::string answer;
    if (job == "crc") {
      answer = crc(from_hex(argument));
    } else if (job == "encode") {
      answer = encode(from_hex(argument));
    } else if (job == "decode") {
      answer = decode(from_hex(argument));
    } else if (job == "lines") {
      answer = parse_lines(from_hex(argument));
    } else if (job == "number") {
      answer = number(argument);
    } else if (job == "fixed") {
      answer = fixed(from_hex(argument));
    } else if (job == "results_int8") {
      answer = results(from_hex(argument), 1);
    } else if (job == "results_float") {
      answer = results(from_hex(argument), 6);
    } else if (job == "json") {
      answer = json(from_hex(argument));
    } else if (job == "decimal") {
      answer = decimal(argument);
    } else {
      std::abort();
    }
    std::cout << answer << '\n';
  }
  return 0;
}
