-- Rooms::seated
local ids, all = {}, take()
for at = 1, #all, 16 do
  ids[#ids + 1] = string.sub(all, at, at + 15)
end
local room = load(name, ids)
local found = ''
for _, id in ipairs(ids) do
  if room and room.peers[id] and not room.closed then
    found = found .. id
  end
end
return save_and_reply(room, 'ok', found)
