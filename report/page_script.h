// The floorplan's script: draws cells from configuration words, with pan, zoom, hover and the front of an invocation.
#pragma once

namespace bitgrid {

inline constexpr char kPageScript[] = R"js(
'use strict';
const roleNames=['idle','wire','logic','add','subtract','resident'];
const colours=['#8882','#9ab4d0','#e0a030','#4a9d5b','#c65d57','#8e6bbf'];
const $=id=>document.getElementById(id),canvas=$('plan'),ctx=canvas.getContext('2d');
let K=null,scale=1,ox=0,oy=0,front=-1,timer=0;
function decode(k){ if(k.index)return; const s=atob(k.cells),a=new Uint32Array(k.w*k.h); let n=0,v=0,sh=0;
  for(let i=0;i<s.length;i++){const b=s.charCodeAt(i); v|=(b&127)<<sh; if(b&128)sh+=7; else{a[n++]=v;v=0;sh=0;}}
  k.index=a; k.luts=k.dict.map(d=>luts(d[0])); k.edges=k.luts.map(l=>l.map(t=>t!==0)); }
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
function resize(){ const r=devicePixelRatio||1; canvas.width=canvas.clientWidth*r; canvas.height=canvas.clientHeight*r; }
function fit(){ scale=Math.min(canvas.width/K.w,canvas.height/K.h)*.96; ox=(canvas.width-K.w*scale)/2; oy=(canvas.height-K.h*scale)/2; draw(); }
let image=null;
function raster(){ const im=new ImageData(K.w,K.h),px=new Uint32Array(im.data.buffer); const c=colours.map(h=>{const e=document.createElement('canvas').getContext('2d');e.fillStyle=h;e.fillRect(0,0,1,1);return new Uint32Array(e.getImageData(0,0,1,1).data.buffer)[0];});
  for(let i=0;i<px.length;i++)px[i]=c[K.dict[K.index[i]][1]]; const e=document.createElement('canvas'); e.width=K.w;e.height=K.h;e.getContext('2d').putImageData(im,0,0); image=e; }
function draw(){ ctx.clearRect(0,0,canvas.width,canvas.height); ctx.imageSmoothingEnabled=false; ctx.drawImage(image,ox,oy,K.w*scale,K.h*scale);
  const x0=Math.max(0,Math.floor(-ox/scale)),x1=Math.min(K.w-1,Math.ceil((canvas.width-ox)/scale)),y0=Math.max(0,Math.floor(-oy/scale)),y1=Math.min(K.h-1,Math.ceil((canvas.height-oy)/scale));
  if(scale>9){ ctx.lineWidth=Math.max(1,scale/18); for(let y=y0;y<=y1;y++)for(let x=x0;x<=x1;x++){ const e=K.edges[K.index[y*K.w+x]],cx=ox+(x+.5)*scale,cy=oy+(y+.5)*scale,q=scale*.14,h=scale*.5;
      ctx.strokeStyle='#0009'; ctx.beginPath();
      if(e[0]){ctx.moveTo(cx+q,cy);ctx.lineTo(cx+q,cy-h);} if(e[1]){ctx.moveTo(cx,cy+q);ctx.lineTo(cx+h,cy+q);} if(e[2]){ctx.moveTo(cx-q,cy);ctx.lineTo(cx-q,cy+h);} if(e[3]){ctx.moveTo(cx,cy-q);ctx.lineTo(cx-h,cy-q);} ctx.stroke(); } }
  ctx.fillStyle='#e00'; for(const d of defects)if(d[0]<K.w&&d[1]<K.h)ctx.fillRect(ox+d[0]*scale,oy+d[1]*scale,Math.max(3,scale),Math.max(3,scale));
  if(front>=0){ ctx.lineWidth=Math.max(2,scale); for(let f=front;f>=0;f-=2*K.ii){ ctx.strokeStyle='#f0f8'; ctx.beginPath(); ctx.moveTo(ox+(f+1)*scale,oy); ctx.lineTo(ox,oy+(f+1)*scale); ctx.stroke(); } } }
function show(n){ K=kernels[n]; decode(K); $('pick').value=n; raster(); fit(); stop(); }
function stop(){ clearInterval(timer); timer=0; front=-1; $('wave').textContent='play an invocation'; $('wave').disabled=K.strategy!=='systolic'; draw(); }
function at(e){ const r=canvas.getBoundingClientRect(),f=canvas.width/r.width; return [(e.clientX-r.left)*f,(e.clientY-r.top)*f]; }
function hover(px,py){ const x=Math.floor((px-ox)/scale),y=Math.floor((py-oy)/scale); if(x<0||y<0||x>=K.w||y>=K.h)return; const i=K.index[y*K.w+x],d=K.dict[i];
  let t='cell ('+x+', '+y+'), '+roleNames[d[1]]+', word '+d[0]+'\n'; K.luts[i].forEach((l,o)=>{if(l)t+=names[o]+' = '+expression(l)+'\n';});
  const ports=(list,what)=>{const here=list.filter(p=>(p[1]===0&&y===0&&p[2]===x)||(p[1]===2&&y===K.h-1&&p[2]===x)||(p[1]===3&&x===0&&p[2]===y)||(p[1]===1&&x===K.w-1&&p[2]===y));
    if(here.length)t+=what+' '+here.slice(0,6).map(p=>'bit '+p[0]+' on '+names[p[1]]+' in phase '+p[3]).join(', ')+(here.length>6?' and '+(here.length-6)+' more':'')+'\n';};
  ports(K.in,'input'); ports(K.out,'output'); $('hover').textContent=t; }
let drag=null; const touches=new Map();
canvas.addEventListener('pointerdown',e=>{canvas.setPointerCapture(e.pointerId);touches.set(e.pointerId,at(e));drag=at(e);});
canvas.addEventListener('pointerup',e=>{touches.delete(e.pointerId);drag=null;});
canvas.addEventListener('pointercancel',e=>{touches.delete(e.pointerId);drag=null;});
canvas.addEventListener('pointermove',e=>{const p=at(e); if(touches.size===2){const o=[...touches.entries()].find(t=>t[0]!==e.pointerId)[1],b=touches.get(e.pointerId);
    zoom(Math.hypot(p[0]-o[0],p[1]-o[1])/Math.max(1,Math.hypot(b[0]-o[0],b[1]-o[1])),o[0],o[1]);touches.set(e.pointerId,p);return;}
  if(drag){ox+=p[0]-drag[0];oy+=p[1]-drag[1];drag=p;draw();} if(touches.has(e.pointerId))touches.set(e.pointerId,p); hover(p[0],p[1]);});
function zoom(f,px,py){ f=Math.min(80/scale,Math.max(.05/scale,f)); ox=px-(px-ox)*f; oy=py-(py-oy)*f; scale*=f; draw(); }
canvas.addEventListener('wheel',e=>{e.preventDefault();const p=at(e);zoom(e.deltaY<0?1.2:1/1.2,p[0],p[1]);},{passive:false});
$('fit').onclick=fit; $('wave').onclick=()=>{ if(timer)return stop(); front=0; $('wave').textContent='stop'; const step=Math.max(1,Math.round((K.w+K.h)/200)); timer=setInterval(()=>{front+=step; if(front>K.w+K.h+4*K.ii)front=0; draw();},33); };
kernels.forEach((k,i)=>{const o=document.createElement('option');o.value=i;o.textContent=k.name+' ('+k.w+' x '+k.h+')';$('pick').append(o);});
$('pick').onchange=e=>show(+e.target.value);
document.querySelectorAll('#kernels tbody tr').forEach(r=>r.onclick=()=>{show(+r.dataset.k);canvas.scrollIntoView({block:'center'});});
roleNames.forEach((n,i)=>{const s=document.createElement('span'),b=document.createElement('i');b.style.background=colours[i];s.append(b,n);$('key').append(s);});
addEventListener('resize',()=>{resize();fit();}); resize(); show(0); hover(canvas.width/2,canvas.height/2);
)js";

}  // namespace bitgrid
