-- The relay in Janus' Lua plugin that benches/load measures: a session that joined under a name receives what is sent to that name.
local sessions, names = {}, {}

function handleMessage(id, _, message)
  local name = message:match('^{"join": "([^"]*)"')
  if name then
    sessions[name], names[id] = id, name
    return 0, '{}'
  end
  local to = sessions[message:match('^{"to": "([^"]*)"')]
  if not to then
    return -1, 'there is nobody of that name'
  end
  pushEvent(to, nil, message, nil)
  return 0, '{}'
end

function destroySession(id)
  sessions[names[id] or ''], names[id] = nil, nil
end

-- Callbacks that the plugin requires and a relay does not need.
function init() end
function destroy() end
function createSession() end
function querySession() end
function setupMedia() end
function hangupMedia() end
function resumeScheduler() end
