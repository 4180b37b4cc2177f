--- Quarto's dashboard layout for the bundled engine: level-2 headings are rows, level-3 headings are columns in
--- them, `.card` and `.valuebox` blocks are what stands there. Headings only divide: their text is not shown.

local function refuse(what)
  error("the bundled engine's dashboards do not know " .. what, 0)
end

local function is(block, class)
  return block.t == "Div" and block.classes:includes(class)
end

--- The share of the width, from `width="60%"`.
local function flexible(attributes)
  local percent = (attributes.width or ""):match("^([%d.]+)%%$")
  return percent and { style = "flex-grow: " .. percent } or {}
end

local function card(block)
  local content = pandoc.List()
  if block.attributes.title then
    content:insert(pandoc.Header(2, pandoc.Inlines(block.attributes.title), { class = "board-title" }))
  end
  content:extend(block.content)
  return pandoc.Div(content, pandoc.Attr(block.identifier, { "board-card" }, flexible(block.attributes)))
end

--- The first paragraph says what it is, the second is the value, the rest are remarks.
local function value_box(block)
  local classes = { "board-label", "board-value", "board-remark" }
  local content = pandoc.List()
  for index, part in ipairs(block.content) do
    content:insert(pandoc.Div(part, { class = classes[math.min(index, #classes)] }))
  end
  return pandoc.Div(content, pandoc.Attr(block.identifier, { "board-card", "board-box" }))
end

local function items(blocks)
  local list = pandoc.List()
  for _, block in ipairs(blocks) do
    if is(block, "card") then
      list:insert(card(block))
    elseif is(block, "valuebox") then
      list:insert(value_box(block))
    elseif block.t == "RawBlock" then
      list:insert(block)
    else
      list:insert(pandoc.Div(block, { class = "board-card" }))
    end
  end
  return list
end

--- The blocks before the first heading of a level, and those below each.
local function split(blocks, level)
  local before, parts = pandoc.List(), pandoc.List()
  for _, block in ipairs(blocks) do
    if block.t == "Header" and block.level <= level then
      if block.level < level then
        refuse("headings of level " .. block.level)
      end
      for _, class in ipairs(block.classes) do
        if class == "tabset" or class == "sidebar" or class == "toolbar" then
          refuse("`." .. class .. "`")
        end
      end
      parts:insert({ attributes = block.attributes, blocks = pandoc.List() })
    elseif #parts > 0 then
      parts[#parts].blocks:insert(block)
    else
      before:insert(block)
    end
  end
  return before, parts
end

function Pandoc(document)
  local leading, rows = split(document.blocks, 2)
  local page = pandoc.List(leading)
  for _, row in ipairs(rows) do
    local before, columns = split(row.blocks, 3)
    local content = items(before)
    for _, column in ipairs(columns) do
      content:insert(pandoc.Div(items(column.blocks), pandoc.Attr("", { "board-column" }, flexible(column.attributes))))
    end
    page:insert(pandoc.Div(content, { class = "board-row" }))
  end
  document.blocks = page
  return document
end
