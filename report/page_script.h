// The floorplan's script: draws cells from configuration words, with pan, zoom, and hover that follows nets through the cells. The
// invocation that it plays is in page_invocation.h.
#pragma once

namespace bitgrid::report {

inline constexpr char kPageScript[] = R"js(

const roleNames=['idle','wire','logic','add','subtract','resident'];
const colours=['#8882','#9ab4d0','#e0a030','#4a9d5b','#c65d57','#8e6bbf'];
const $=id=>document.getElementById(id),canvas=$('plan'),ctx=canvas.getContext('2d');
const useColours=['#8882','#cfe3f5','#8fbce0','#f0b040','#c8402f'];
let K=null,scale=1,ox=0,oy=0,net=null;
function decode(k){ if(k.index)return; const s=atob(k.cells),a=new Uint32Array(k.w*k.h); let n=0,v=0,sh=0;
  for(let i=0;i<s.length;i++){const b=s.charCodeAt(i); v|=(b&127)<<sh; if(b&128)sh+=7; else{a[n++]=v;v=0;sh=0;}}
  k.index=a; k.luts=k.dict.map(d=>luts(d[0])); k.edges=k.luts.map(l=>l.map(t=>t!==0)); k.used=k.edges.map(e=>e.filter(x=>x).length); }
function luts(hex){ const w=BigInt('0x'+hex),l=[0,0,0,0]; for(let i=0;i<16;i++){const n=Number(w>>BigInt(4*i)&15n); for(let o=0;o<4;o++)if(n>>o&1)l[o]|=1<<i;} return l; }
const names=['N','E','S','W'];
function expression(t){ if(t===0)return '0'; if(t===65535)return '1';
  const used=[0,1,2,3].filter(v=>{for(let i=0;i<16;i++)if((t>>i&1)!==(t>>(i^1<<v)&1))return true;return false;});
  const bit=(i,v)=>i>>v&1; let parity=true,inv=(t&1);
  for(let i=0;i<16;i++){let p=inv;for(const v of used)p^=bit(i,v); if(p!==(t>>i&1))parity=false;}
  if(parity)return (inv?'not ':'')+(used.length>1?'(':'')+used.map(v=>names[v]).join(' xor ')+(used.length>1?')':'');
  if(used.length===3)for(let m=0;m<8;m++){let ok=true; for(let i=0;i<16;i++){let c=0;used.forEach((v,j)=>c+=bit(i,v)^(m>>j&1)); if((c>1?1:0)!==(t>>i&1)){ok=false;break;}}
    if(ok)return 'majority('+used.map((v,j)=>(m>>j&1?'not ':'')+names[v]).join(', ')+')';}
  const cubes=[]; for(let c=0;c<81;c++){const d=[c%3,(c/3|0)%3,(c/9|0)%3,c/27|0]; let mask=0,ok=true;
    for(let i=0;i<16;i++){let inside=true; for(let v=0;v<4;v++)if(d[v]<2&&bit(i,v)!==d[v])inside=false; if(inside){mask|=1<<i; if(!(t>>i&1))ok=false;}}
    if(ok)cubes.push([mask,d]);}
  const count=m=>{let n=0;while(m){m&=m-1;n++;}return n;}; let left=t; const terms=[];
  while(left){let best=cubes[0],most=-1; for(const q of cubes){const n=count(q[0]&left)*8+q[1].filter(x=>x===2).length; if(count(q[0]&left)&&n>most){most=n;best=q;}}
    left&=~best[0]; terms.push(best[1].map((x,v)=>x===2?'':(x?'':'not ')+names[v]).filter(x=>x).join(' and '));}
  return terms.join(' or '); }
// Nets: an output that copies one side continues with what the neighbour there drives.
const copies={43690:0,52428:1,61680:2,65280:3},dx=[0,1,0,-1],dy=[-1,0,1,0],inside=(x,y)=>x>=0&&y>=0&&x<K.w&&y<K.h;
const lut=(x,y,o)=>K.luts[K.index[y*K.w+x]][o];
function reads(t,side){ for(let i=0;i<16;i++)if((t>>i&1)!==(t>>(i^1<<side)&1))return true; return false; }
function bitName(names,b){ if(!names)return 'bit '+b; for(const [name,words,bits] of names){ if(b<words*bits)return name+(words>1?'['+(b/bits|0)+']':'')+(bits>1?' bit '+b%bits:''); b-=words*bits; } return 'bit '+b; }
function portText(list,names,x,y,side){ const at=list.filter(p=>p[1]===side&&p[2]===(side%2?y:x)); if(!at.length)return '';
  const all=[...new Set(at.map(p=>bitName(names,p[0])))]; return all.slice(0,6).join(', ')+(all.length>6?' and '+(all.length-6)+' more':''); }
/// What arrives at cell (x, y) on `side`: back through copies to a cell that computes it or to a port.
function origin(x,y,side){ const path=[]; for(let n=0;n<=4*K.w*K.h;n++){ const X=x+dx[side],Y=y+dy[side];
    if(!inside(X,Y)){ const word=portText(K.in,K.names&&K.names.in,x,y,side),lane=K.constants.find(c=>c[0]===side&&c[1]===(side%2?y:x));
      return {path,text:[word&&'input '+word,lane&&'constant stream '+lane[3]].filter(t=>t).join(', ')||'border port that nothing drives'}; }
    const o=side^2,t=lut(X,Y,o); path.push([X,Y,o]); if(!(t in copies))return {path,text:t===0?'0':'cell ('+X+', '+Y+') '+names[o]}; x=X;y=Y;side=copies[t]; }
  return {path,text:'itself'}; }
/// Where output o of cell (x, y) goes: on through copies to cells that compute with it and to ports.
function sinks(x,y,o){ const path=[],to=[],seen=new Set(),todo=[[x,y,o]]; while(todo.length){ const [a,b,d]=todo.pop(),key=(b*K.w+a)*4+d; if(seen.has(key))continue; seen.add(key);
    path.push([a,b,d]); const X=a+dx[d],Y=b+dy[d]; if(!inside(X,Y)){ const t=portText(K.out,K.names&&K.names.out,a,b,d); if(t)to.push('output '+t); continue; }
    const l=K.luts[K.index[Y*K.w+X]],side=d^2; let computes=false; l.forEach((t,n)=>{ if(copies[t]===side)todo.push([X,Y,n]); else if(reads(t,side))computes=true; }); if(computes)to.push('cell ('+X+', '+Y+')'); }
  return {path,text:to.slice(0,4).join(', ')+(to.length>4?' and '+(to.length-4)+' more':'')||'nothing'}; }
function resize(){ const r=devicePixelRatio||1; canvas.width=canvas.clientWidth*r; canvas.height=canvas.clientHeight*r; }
function fit(){ scale=Math.min(canvas.width/K.w,canvas.height/K.h)*.96; ox=(canvas.width-K.w*scale)/2; oy=(canvas.height-K.h*scale)/2; draw(); }
let image=null;
function raster(){ const im=new ImageData(K.w,K.h),px=new Uint32Array(im.data.buffer); const c=($('shade').value==='1'?useColours:colours).map(h=>{const e=document.createElement('canvas').getContext('2d');e.fillStyle=h;e.fillRect(0,0,1,1);return new Uint32Array(e.getImageData(0,0,1,1).data.buffer)[0];});
  const use=$('shade').value==='1';
  for(let i=0;i<px.length;i++)px[i]=c[use?K.used[K.index[i]]:K.dict[K.index[i]][1]]; const e=document.createElement('canvas'); e.width=K.w;e.height=K.h;e.getContext('2d').putImageData(im,0,0); image=e; }
function draw(){ ctx.clearRect(0,0,canvas.width,canvas.height); ctx.imageSmoothingEnabled=false; ctx.drawImage(image,ox,oy,K.w*scale,K.h*scale);
  const x0=Math.max(0,Math.floor(-ox/scale)),x1=Math.min(K.w-1,Math.ceil((canvas.width-ox)/scale)),y0=Math.max(0,Math.floor(-oy/scale)),y1=Math.min(K.h-1,Math.ceil((canvas.height-oy)/scale));
  if(scale>9){ ctx.lineWidth=Math.max(1,scale/18); for(let y=y0;y<=y1;y++)for(let x=x0;x<=x1;x++){ const e=K.edges[K.index[y*K.w+x]],cx=ox+(x+.5)*scale,cy=oy+(y+.5)*scale,q=scale*.14,h=scale*.5;
      ctx.strokeStyle='#0009'; ctx.beginPath();
      if(e[0]){ctx.moveTo(cx+q,cy);ctx.lineTo(cx+q,cy-h);} if(e[1]){ctx.moveTo(cx,cy+q);ctx.lineTo(cx+h,cy+q);} if(e[2]){ctx.moveTo(cx-q,cy);ctx.lineTo(cx-q,cy+h);} if(e[3]){ctx.moveTo(cx,cy-q);ctx.lineTo(cx-h,cy-q);} ctx.stroke(); } }
  ctx.fillStyle='#e00'; for(const d of defects)if(d[0]<K.w&&d[1]<K.h)ctx.fillRect(ox+d[0]*scale,oy+d[1]*scale,Math.max(3,scale),Math.max(3,scale));
  if(net){ ctx.strokeStyle='#e0f'; ctx.lineWidth=Math.max(2,scale/8); ctx.beginPath(); for(const [x,y,o] of net){ const cx=ox+(x+.5)*scale,cy=oy+(y+.5)*scale; ctx.moveTo(cx,cy); ctx.lineTo(cx+dx[o]*scale,cy+dy[o]*scale); } ctx.stroke(); }
  drawInvocation(); }
function show(n){ stop(); K=kernels[n]; decode(K); net=null; $('pick').value=n; raster(); key(); fit(); }
function key(){ const use=$('shade').value==='1'; $('key').replaceChildren(...(use?useColours:colours).map((c,i)=>{const s=document.createElement('span'),b=document.createElement('i');b.style.background=c;s.append(b,use?i+' outputs used':roleNames[i]);return s;})); }
function at(e){ const r=canvas.getBoundingClientRect(),f=canvas.width/r.width; return [(e.clientX-r.left)*f,(e.clientY-r.top)*f]; }
function hover(px,py){ const x=Math.floor((px-ox)/scale),y=Math.floor((py-oy)/scale); if(!inside(x,y))return; const i=K.index[y*K.w+x],d=K.dict[i];
  let t='cell ('+x+', '+y+'), '+roleNames[d[1]]+', word '+d[0]+'\n'; net=[];
  K.luts[i].forEach((l,o)=>{ if(!l)return; const s=sinks(x,y,o); net.push(...s.path); t+=names[o]+' = '+expression(l)+'  → '+s.text+'\n'; });
  names.forEach((n,side)=>{ if(!K.luts[i].some(l=>reads(l,side)))return; const s=origin(x,y,side); net.push(...s.path); t+=n+' is '+s.text+'\n'; });
  const ports=(list,what,from)=>{const here=list.filter(p=>(p[1]===0&&y===0&&p[2]===x)||(p[1]===2&&y===K.h-1&&p[2]===x)||(p[1]===3&&x===0&&p[2]===y)||(p[1]===1&&x===K.w-1&&p[2]===y));
    if(here.length)t+=what+' '+here.slice(0,6).map(p=>bitName(from,p[0])+' on '+names[p[1]]+' in phase '+p[3]).join(', ')+(here.length>6?' and '+(here.length-6)+' more':'')+'\n';};
  ports(K.in,'input',K.names&&K.names.in); ports(K.out,'output',K.names&&K.names.out); $('hover').textContent=t; draw(); }
let drag=null; const touches=new Map();
canvas.addEventListener('pointerdown',e=>{canvas.setPointerCapture(e.pointerId);touches.set(e.pointerId,at(e));drag=at(e);});
canvas.addEventListener('pointerup',e=>{touches.delete(e.pointerId);drag=null;});
canvas.addEventListener('pointercancel',e=>{touches.delete(e.pointerId);drag=null;});
canvas.addEventListener('pointermove',e=>{const p=at(e); if(touches.size===2){const o=[...touches.entries()].find(t=>t[0]!==e.pointerId)[1],b=touches.get(e.pointerId);
    zoom(Math.hypot(p[0]-o[0],p[1]-o[1])/Math.max(1,Math.hypot(b[0]-o[0],b[1]-o[1])),o[0],o[1]);touches.set(e.pointerId,p);return;}
  if(drag){ox+=p[0]-drag[0];oy+=p[1]-drag[1];drag=p;draw();} if(touches.has(e.pointerId))touches.set(e.pointerId,p); hover(p[0],p[1]);});
function zoom(f,px,py){ f=Math.min(80/scale,Math.max(.05/scale,f)); ox=px-(px-ox)*f; oy=py-(py-oy)*f; scale*=f; draw(); }
canvas.addEventListener('wheel',e=>{e.preventDefault();const p=at(e);zoom(e.deltaY<0?1.2:1/1.2,p[0],p[1]);},{passive:false});
$('fit').onclick=fit; $('wave').onclick=()=>play?stop():start(); $('shade').onchange=()=>{raster();key();draw();};
kernels.forEach((k,i)=>{const o=document.createElement('option');o.value=i;o.textContent=k.name+' ('+k.w+' x '+k.h+')';$('pick').append(o);});
$('pick').onchange=e=>show(+e.target.value);
document.querySelectorAll('#kernels tbody tr').forEach(r=>r.onclick=()=>{show(+r.dataset.k);canvas.scrollIntoView({block:'center'});});
addEventListener('resize',()=>{resize();fit();}); resize(); show(0); hover(canvas.width/2,canvas.height/2); if(location.hash==='#play')playAll();
)js";

}  // namespace bitgrid::report
