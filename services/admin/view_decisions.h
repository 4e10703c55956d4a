// What operators decide about views, so that it stands in the journal.
#pragma once

namespace taizhang {

class Registry;

// Ties SwitchView, SkipViewEvent and their events to their functions.
void register_view_decisions(Registry& registry);

}  // namespace taizhang
