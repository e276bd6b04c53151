#include "tools/heap_profile/pprof_format.h"

#include <array>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tools/heap_profile/gzip.h"
#include "tools/heap_profile/wire_format.h"

namespace hakmem::tools {
namespace {

// Field numbers of profile.proto.
namespace profile_field {
enum {
  kSampleType = 1,
  kSample = 2,
  kMapping = 3,
  kLocation = 4,
  kFunction = 5,
  kStringTable = 6,
  kTimeNanos = 9,
  kPeriodType = 11,
  kPeriod = 12,
  kComment = 13,
  kDefaultSampleType = 14,
};
}  // namespace profile_field
namespace value_type_field {
enum { kType = 1, kUnit = 2 };
}
namespace sample_field {
enum { kLocationId = 1, kValue = 2 };
}
namespace mapping_field {
enum {
  kId = 1,
  kMemoryStart = 2,
  kMemoryLimit = 3,
  kFileOffset = 4,
  kFilename = 5,
  kBuildId = 6,
  kHasFunctions = 7,
  kHasFilenames = 8,
  kHasLineNumbers = 9,
  kHasInlineFrames = 10,
};
}
namespace location_field {
enum { kId = 1, kMappingId = 2, kAddress = 3, kLine = 4 };
}
namespace line_field {
enum { kFunctionId = 1, kLine = 2 };
}
namespace function_field {
enum { kId = 1, kName = 2, kSystemName = 3, kFilename = 4 };
}

struct ValueType {
  const char* type;
  const char* unit;
};
constexpr std::array<ValueType, 6> kValueTypes = {{
    {"alloc_objects", "count"},
    {"alloc_space", "bytes"},
    {"inuse_objects", "count"},
    {"inuse_space", "bytes"},
    {"peak_objects", "count"},
    {"peak_space", "bytes"},
}};
constexpr const char* kComment = "made by hakmem profile";

std::array<int64_t, kValueTypes.size()> ValuesOf(const SiteValues& values) {
  return {values.allocated.count, values.allocated.bytes, values.live.count,
          values.live.bytes,      values.peak.count,      values.peak.bytes};
}

SiteValues FromValues(const std::vector<uint64_t>& numbers) {
  std::array<int64_t, kValueTypes.size()> v{};
  for (size_t i = 0; i < v.size() && i < numbers.size(); ++i) {
    v[i] = static_cast<int64_t>(numbers[i]);
  }
  return {{v[2], v[3]}, {v[4], v[5]}, {v[0], v[1]}};
}

class Writer {
 public:
  explicit Writer(const HeapProfile& profile) : profile_(profile) {
    (void)Text("");  // number 0
  }

  std::string Write(int64_t time_ns) {
    for (const ValueType& type : kValueTypes) {
      out_.Bytes(profile_field::kSampleType, TypeMessage(type));
    }
    for (const Site& site : profile_.sites) WriteSample(site);
    for (size_t i = 0; i < profile_.modules.size(); ++i) WriteMapping(i);
    for (size_t i = 0; i < profile_.locations.size(); ++i) WriteLocation(i);
    for (const auto& [function, id] : functions_) WriteFunction(function, id);
    out_.Number(profile_field::kTimeNanos, static_cast<uint64_t>(time_ns));
    out_.Bytes(profile_field::kPeriodType, TypeMessage({"space", "bytes"}));
    out_.Number(profile_field::kPeriod, profile_.rate);
    out_.Numbers(profile_field::kComment, {Text(kComment)});
    out_.Number(profile_field::kDefaultSampleType, Text("inuse_space"));
    for (const std::string& text : texts_) {
      out_.Bytes(profile_field::kStringTable, text);
    }
    return out_.text();
  }

 private:
  using Function = std::pair<std::string, std::string>;  // name, file

  uint64_t Text(const std::string& text) {
    const auto [at, is_new] = numbers_.try_emplace(text, texts_.size());
    if (is_new) texts_.push_back(text);
    return at->second;
  }

  std::string TypeMessage(const ValueType& type) {
    MessageWriter message;
    message.Number(value_type_field::kType, Text(type.type));
    message.Number(value_type_field::kUnit, Text(type.unit));
    return message.text();
  }

  void WriteSample(const Site& site) {
    std::vector<uint64_t> ids;
    for (const size_t location : site.locations) ids.push_back(location + 1);
    std::vector<uint64_t> values;
    for (const int64_t value : ValuesOf(site.values)) {
      values.push_back(static_cast<uint64_t>(value));
    }
    MessageWriter message;
    message.Numbers(sample_field::kLocationId, ids);
    message.Numbers(sample_field::kValue, values);
    out_.Bytes(profile_field::kSample, message.text());
  }

  void WriteMapping(size_t i) {
    const Module& module = profile_.modules[i];
    MessageWriter message;
    message.Number(mapping_field::kId, i + 1);
    message.Number(mapping_field::kMemoryStart, module.begin);
    message.Number(mapping_field::kMemoryLimit, module.end);
    message.Number(mapping_field::kFileOffset, module.offset);
    message.Number(mapping_field::kFilename, Text(module.path));
    message.Number(mapping_field::kBuildId, Text(module.build_id));
    // pprof need not look for names itself.
    for (const int has :
         {mapping_field::kHasFunctions, mapping_field::kHasFilenames,
          mapping_field::kHasLineNumbers, mapping_field::kHasInlineFrames}) {
      message.Number(has, 1);
    }
    out_.Bytes(profile_field::kMapping, message.text());
  }

  void WriteLocation(size_t i) {
    const Location& location = profile_.locations[i];
    MessageWriter message;
    message.Number(location_field::kId, i + 1);
    uint64_t address = location.offset;
    if (location.module != kNoModule) {
      const Module& module = profile_.modules[location.module];
      message.Number(location_field::kMappingId, location.module + 1);
      address += module.begin - module.offset;
    }
    message.Number(location_field::kAddress, address);
    for (const SourceLine& line : location.lines) {
      MessageWriter part;
      part.Number(line_field::kFunctionId,
                  FunctionId({line.function, line.file}));
      part.Number(line_field::kLine, static_cast<uint64_t>(line.line));
      message.Bytes(location_field::kLine, part.text());
    }
    out_.Bytes(profile_field::kLocation, message.text());
  }

  uint64_t FunctionId(const Function& function) {
    return functions_.try_emplace(function, functions_.size() + 1)
        .first->second;
  }

  void WriteFunction(const Function& function, uint64_t id) {
    MessageWriter message;
    message.Number(function_field::kId, id);
    message.Number(function_field::kName, Text(function.first));
    message.Number(function_field::kSystemName, Text(function.first));
    message.Number(function_field::kFilename, Text(function.second));
    out_.Bytes(profile_field::kFunction, message.text());
  }

  const HeapProfile& profile_;
  MessageWriter out_;
  std::vector<std::string> texts_;
  std::map<std::string, uint64_t> numbers_;
  std::map<Function, uint64_t> functions_;
};

// As read: texts are still numbers, and ids those of the file.
struct Fields {
  std::vector<std::string> texts;
  std::vector<std::pair<uint64_t, uint64_t>> types;
  std::vector<std::pair<std::vector<uint64_t>, std::vector<uint64_t>>> samples;
  struct Mapping {
    uint64_t path = 0, build_id = 0, begin = 0, end = 0, offset = 0;
  };
  struct Line {
    uint64_t function = 0, line = 0;
  };
  struct Location {
    uint64_t mapping = 0, address = 0;
    std::vector<Line> lines;
  };
  std::map<uint64_t, Mapping> mappings;
  std::map<uint64_t, Location> locations;
  std::map<uint64_t, std::pair<uint64_t, uint64_t>> functions;  // name, file
  uint64_t period = 0;

  std::string Text(uint64_t number) const {
    return number < texts.size() ? texts[number] : "";
  }
};

// Calls visit(reader) for each field of a message; false if it is none.
template <typename Visit>
bool ForEachField(std::string_view text, Visit&& visit) {
  MessageReader message(text);
  while (message.Next()) visit(message);
  return message.ok();
}

bool ReadSample(std::string_view text, Fields& fields) {
  auto& [locations, values] = fields.samples.emplace_back();
  return ForEachField(text, [&](const MessageReader& m) {
    if (m.field() == sample_field::kLocationId) locations = m.Numbers();
    if (m.field() == sample_field::kValue) values = m.Numbers();
  });
}

bool ReadMapping(std::string_view text, Fields& fields) {
  uint64_t id = 0;
  Fields::Mapping mapping;
  const bool ok = ForEachField(text, [&](const MessageReader& m) {
    if (m.field() == mapping_field::kId) id = m.number();
    if (m.field() == mapping_field::kFilename) mapping.path = m.number();
    if (m.field() == mapping_field::kBuildId) mapping.build_id = m.number();
    if (m.field() == mapping_field::kMemoryStart) mapping.begin = m.number();
    if (m.field() == mapping_field::kMemoryLimit) mapping.end = m.number();
    if (m.field() == mapping_field::kFileOffset) mapping.offset = m.number();
  });
  fields.mappings[id] = mapping;
  return ok;
}

bool ReadLocation(std::string_view text, Fields& fields) {
  uint64_t id = 0;
  Fields::Location location;
  bool lines_ok = true;
  const bool ok = ForEachField(text, [&](const MessageReader& m) {
    if (m.field() == location_field::kId) id = m.number();
    if (m.field() == location_field::kMappingId) location.mapping = m.number();
    if (m.field() == location_field::kAddress) location.address = m.number();
    if (m.field() != location_field::kLine) return;
    Fields::Line& line = location.lines.emplace_back();
    lines_ok &= ForEachField(m.bytes(), [&](const MessageReader& part) {
      if (part.field() == line_field::kFunctionId) {
        line.function = part.number();
      }
      if (part.field() == line_field::kLine) line.line = part.number();
    });
  });
  fields.locations[id] = std::move(location);
  return ok && lines_ok;
}

bool ReadFunction(std::string_view text, Fields& fields) {
  uint64_t id = 0;
  std::pair<uint64_t, uint64_t> function;
  const bool ok = ForEachField(text, [&](const MessageReader& m) {
    if (m.field() == function_field::kId) id = m.number();
    if (m.field() == function_field::kName) function.first = m.number();
    if (m.field() == function_field::kFilename) function.second = m.number();
  });
  fields.functions[id] = function;
  return ok;
}

bool ReadFields(std::string_view text, Fields& fields) {
  bool parts_ok = true;
  const bool ok = ForEachField(text, [&](const MessageReader& m) {
    switch (m.field()) {
      case profile_field::kSampleType: {
        auto& type = fields.types.emplace_back();
        parts_ok &= ForEachField(m.bytes(), [&](const MessageReader& part) {
          if (part.field() == value_type_field::kType) {
            type.first = part.number();
          }
        });
        return;
      }
      case profile_field::kSample:
        parts_ok &= ReadSample(m.bytes(), fields);
        return;
      case profile_field::kMapping:
        parts_ok &= ReadMapping(m.bytes(), fields);
        return;
      case profile_field::kLocation:
        parts_ok &= ReadLocation(m.bytes(), fields);
        return;
      case profile_field::kFunction:
        parts_ok &= ReadFunction(m.bytes(), fields);
        return;
      case profile_field::kStringTable:
        fields.texts.emplace_back(m.bytes());
        return;
      case profile_field::kPeriod:
        fields.period = m.number();
        return;
      default:
        return;
    }
  });
  if (!ok || !parts_ok || fields.types.size() != kValueTypes.size()) {
    return false;
  }
  for (size_t i = 0; i < kValueTypes.size(); ++i) {
    if (fields.Text(fields.types[i].first) != kValueTypes[i].type) return false;
  }
  return true;
}

HeapProfile Assemble(const Fields& fields) {
  HeapProfile profile;
  profile.rate = fields.period;
  std::map<uint64_t, size_t> module_of;
  for (const auto& [id, mapping] : fields.mappings) {
    module_of[id] = profile.modules.size();
    profile.modules.push_back({fields.Text(mapping.path),
                               fields.Text(mapping.build_id), mapping.begin,
                               mapping.end, mapping.offset});
  }
  std::map<uint64_t, size_t> location_of;
  for (const auto& [id, from] : fields.locations) {
    location_of[id] = profile.locations.size();
    Location& location = profile.locations.emplace_back();
    location.offset = from.address;
    if (const auto at = module_of.find(from.mapping); at != module_of.end()) {
      const Module& module = profile.modules[at->second];
      location.module = at->second;
      location.offset = from.address - module.begin + module.offset;
    }
    for (const Fields::Line& line : from.lines) {
      const auto at = fields.functions.find(line.function);
      if (at == fields.functions.end()) continue;
      location.lines.push_back({fields.Text(at->second.first),
                                fields.Text(at->second.second),
                                static_cast<int64_t>(line.line)});
    }
  }
  for (const auto& [ids, values] : fields.samples) {
    Site& site = profile.sites.emplace_back();
    site.values = FromValues(values);
    for (const uint64_t id : ids) {
      if (const auto at = location_of.find(id); at != location_of.end()) {
        site.locations.push_back(at->second);
      }
    }
  }
  return profile;
}

}  // namespace

std::string ToPprof(const HeapProfile& profile, int64_t time_ns) {
  return GzipStored(Writer(profile).Write(time_ns));
}

absl::StatusOr<HeapProfile> FromPprof(std::string_view file) {
  const auto text = GunzipStored(file);
  if (!text.ok()) return text.status();
  Fields fields;
  if (!ReadFields(*text, fields)) {
    return absl::InvalidArgumentError(
        "not a profile that hakmem profile has written");
  }
  return Assemble(fields);
}

}  // namespace hakmem::tools
