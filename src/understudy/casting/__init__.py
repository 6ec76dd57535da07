"""Who gets whose face: photos, the ground on which they are used, what was learned of them."""
