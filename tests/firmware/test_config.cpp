// SPDX-License-Identifier: BSD-3-Clause
//
// What a generated project would define, for the firmware without a model (fake_model.cpp).
#include <app/app_config.h>
#include <port/board.h>

#ifndef TEST_CLOCK_HZ
#define TEST_CLOCK_HZ 1000000
#endif
#ifndef TEST_PROFILE_MODEL
#define TEST_PROFILE_MODEL "fake"
#endif

namespace mcugen {

namespace {

constexpr uint8_t kPte[16] = {};

}  // namespace

extern const AppConfig kAppConfig;
const AppConfig kAppConfig = {
    /*firmware_id=*/"0123456789abcdef",
    /*model_name=*/"fa\"ke\\",
    /*profile_model=*/TEST_PROFILE_MODEL,
    /*method_name=*/"forward",
    /*pte=*/kPte,
    /*pte_bytes=*/sizeof(kPte),
    /*pte_crc32=*/0,
    /*pte_sha256=*/"00ff",
    /*kernels=*/{},
    /*planned_buffers=*/nullptr,
    /*num_planned_buffers=*/0,
    /*method_pool=*/{},
    /*temp_pool=*/{},
    /*io_pool=*/{},
    /*output_scale=*/0.5f,
    /*output_zero_point=*/-1,
    /*softmax=*/true,
    /*keeps_state=*/false,
};

extern const BoardConfig kBoardConfig;
const BoardConfig kBoardConfig = {"test", "mcugen", TEST_CLOCK_HZ, 115200};

}  // namespace mcugen
